package tokenizer

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// In every form in which transformers has saved a tokenizer over the years, a tokenizer gives
// the tokens that transformers reads from it (tests/reference/tokenizer_files.py).
func TestFoldersAsTransformersReadsThem(t *testing.T) {
	text, err := os.ReadFile("../../tests/fixtures/tokenizer/files.json")
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Vocab  json.RawMessage
		Merges []string
		Texts  []string
		Cases  []struct {
			Name    string
			Files   map[string]string
			Padding int32
			IDs     [][]int32
		}
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	pairs := make([][]string, len(r.Merges))
	for i, m := range r.Merges {
		pairs[i] = strings.Split(m, " ")
	}
	for _, c := range r.Cases {
		t.Run(c.Name, func(t *testing.T) {
			tok, err := Open(func(name string) ([]byte, error) {
				file, ok := c.Files[name]
				switch {
				case !ok:
					return nil, os.ErrNotExist
				case name == "vocab.json":
					return r.Vocab, nil
				case name == "merges.txt":
					return []byte(strings.Join(r.Merges, "\n")), nil
				case name == "tokenizer.json":
					var merges any = pairs
					if strings.Contains(file, `"merges": "text"`) {
						merges = r.Merges
					}
					m, _ := json.Marshal(merges)
					file = strings.Replace(file, `"vocab": null`, `"vocab": `+string(r.Vocab), 1)
					file = strings.Replace(strings.Replace(file, `"merges": "text"`, `"merges": `+string(m), 1), `"merges": "pairs"`, `"merges": `+string(m), 1)
				}
				return []byte(file), nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for i, text := range r.Texts {
				want := c.IDs[i]
				for len(want) < tok.MaxLength {
					want = append(want, c.Padding)
				}
				if got := tok.Encode(text).IDs; !slices.Equal(got, want) {
					t.Errorf("%q\n got %v\nwant %v", text, got[:12], want[:12])
				}
			}
		})
	}
}

func TestDamagedTokenizerJSONIsNamed(t *testing.T) {
	const good = `{"model": {"type": "BPE", "end_of_word_suffix": "</w>", "vocab": {"a": 0, "b</w>": 1, "ab</w>": 2, "<|startoftext|>": 3, "<|endoftext|>": 4}, "merges": [["a", "b</w>"]]}}`
	if _, err := New(Files{Tokenizer: []byte(good)}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, from, to, want string }{
		{"no JSON", good, "<html>", "tokenizer.json, line 1"},
		{"another tokenizer", `"BPE"`, `"Unigram"`, `type "Unigram"`},
		{"a merge of three", `["a", "b</w>"]`, `["a", "b", "c"]`, "merge 1"},
		{"a merge as text", `["a", "b</w>"]`, `"a  b</w>"`, "merge 1: expected two tokens"},
		{"a merge of unknown tokens", `["a", "b</w>"]`, `["a", "z"]`, `the token "z" is not in tokenizer.json`},
		{"two of one number", `"b</w>": 1`, `"b</w>": 0`, "number 0 both to"},
		{"a number that is none", `"b</w>": 1`, `"b</w>": -1`, "expected a whole number"},
		{"no vocabulary", `"vocab"`, `"vocabulary"`, "model.vocab"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(Files{Tokenizer: []byte(strings.Replace(good, c.from, c.to, 1))})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want %q", err, c.want)
			}
		})
	}
	if _, err := New(Files{}); err == nil || !strings.Contains(err.Error(), "tokenizer.json") {
		t.Errorf("without any file: %v", err)
	}
}
