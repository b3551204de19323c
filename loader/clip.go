package loader

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// CLIPVocabulary makes CLIP's vocab.json from its merges.txt: the 256 bytes, the same bytes at
// the end of a word, all merges in their order, and the two special tokens. CLIP itself numbers
// its tokens in this way (openai/CLIP, clip/simple_tokenizer.py), so the page does not have to
// carry the list.
func CLIPVocabulary(merges []byte) ([]byte, error) {
	var tokens []string
	// Printable bytes stand for themselves, the others for the code points from 256 on.
	printable := func(b rune) bool { return b >= '!' && b <= '~' || b >= '¡' && b <= '¬' || b >= '®' && b <= 'ÿ' }
	for b := rune(0); b < 256; b++ {
		if printable(b) {
			tokens = append(tokens, string(b))
		}
	}
	for next := rune(256); len(tokens) < 256; next++ {
		tokens = append(tokens, string(next))
	}
	for _, t := range tokens[:256] {
		tokens = append(tokens, t+"</w>")
	}
	for i, line := range strings.Split(strings.TrimSpace(string(merges)), "\n") {
		if i == 0 && strings.HasPrefix(line, "#version") {
			continue
		}
		a, b, ok := strings.Cut(strings.TrimSuffix(line, "\r"), " ")
		if !ok || strings.Contains(b, " ") {
			return nil, fmt.Errorf("CLIP's merges.txt, line %d: %q is not a pair", i+1, line)
		}
		tokens = append(tokens, a+b)
	}
	tokens = append(tokens, "<|startoftext|>", "<|endoftext|>")
	ids := make(map[string]int, len(tokens))
	for i, t := range tokens {
		ids[t] = i
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(ids)
	return out.Bytes(), err
}
