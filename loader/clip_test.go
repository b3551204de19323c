package loader

import (
	"encoding/json"
	"os"
	"testing"
)

// The ids are those of openai/clip-vit-large-patch14's vocab.json, which Stable
// Diffusion 1.5 carries.
func TestCLIPVocabulary(t *testing.T) {
	merges, err := os.ReadFile("../web/clip/merges.txt")
	if err != nil {
		t.Fatal(err)
	}
	b, err := CLIPVocabulary(merges)
	if err != nil {
		t.Fatal(err)
	}
	var ids map[string]int
	if err := json.Unmarshal(b, &ids); err != nil {
		t.Fatal(err)
	}
	if len(ids) != 49408 {
		t.Errorf("%d tokens, CLIP has 49408", len(ids))
	}
	for token, id := range map[string]int{"!": 0, "a": 64, "!</w>": 256, "a</w>": 320, "in": 512, "the</w>": 518, "photo</w>": 1125, "cat</w>": 2368, "dog</w>": 1929, "<|startoftext|>": 49406, "<|endoftext|>": 49407} {
		if got, ok := ids[token]; !ok || got != id {
			t.Errorf("%q is %d (there: %v), CLIP has %d", token, got, ok, id)
		}
	}
	if _, err := CLIPVocabulary([]byte("#version: 0.2\none\n")); err == nil {
		t.Error("a line that is not a pair is accepted")
	}
}
