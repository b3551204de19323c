package tokenizer

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// A reference file holds the part of a vocabulary that its texts need, and what transformers
// makes of these texts (tests/reference/tokenizer.py).
type reference struct {
	Vocab   map[string]int32
	Merges  []string
	Configs []struct {
		Name    string
		Config  json.RawMessage
		Padding int32
		Cases   []struct {
			Text     string
			IDs      []int32
			Count    int
			Overflow string
		}
	}
}

func readReference(t testing.TB, name string) (r reference, vocab, merges []byte) {
	t.Helper()
	text, err := os.ReadFile("../../tests/fixtures/tokenizer/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	vocab, err = json.Marshal(r.Vocab)
	if err != nil {
		t.Fatal(err)
	}
	return r, vocab, []byte("#version: 0.2\n" + strings.Join(r.Merges, "\n") + "\n")
}

func TestEncodeAsTransformers(t *testing.T) {
	for _, file := range []string{"clip.json", "clip_configs.json", "small.json"} {
		r, vocab, merges := readReference(t, file)
		for _, c := range r.Configs {
			tok, err := New(Files{Vocab: vocab, Merges: merges, Config: c.Config})
			if err != nil {
				t.Fatalf("%s, %s: %v", file, c.Name, err)
			}
			for _, tc := range c.Cases {
				got := tok.Encode(tc.Text)
				want := tc.IDs
				for len(want) < tok.MaxLength {
					want = append(want, c.Padding)
				}
				if !slices.Equal(got.IDs, want) {
					t.Errorf("%s, %s: %q\n got %v\nwant %v", file, c.Name, tc.Text, got.IDs, want)
				}
				if got.Count != tc.Count {
					t.Errorf("%s, %s: %q has %d tokens, want %d", file, c.Name, tc.Text, got.Count, tc.Count)
				}
				if got.Overflow != tc.Overflow {
					t.Errorf("%s, %s: %q leaves out %q, want %q", file, c.Name, tc.Text, got.Overflow, tc.Overflow)
				}
			}
		}
	}
}

func TestDefaultConfiguration(t *testing.T) {
	_, vocab, merges := readReference(t, "clip.json")
	tok, err := New(Files{Vocab: vocab, Merges: merges})
	if err != nil {
		t.Fatal(err)
	}
	got := tok.Encode("")
	if len(got.IDs) != 77 || got.IDs[0] != 49406 || got.IDs[1] != 49407 || got.IDs[76] != 49407 || got.Count != 2 {
		t.Errorf("the empty prompt is %v, %d tokens", got.IDs, got.Count)
	}
}

func TestBrokenUTF8CountsAsReplacementCharacter(t *testing.T) {
	_, vocab, merges := readReference(t, "clip.json")
	tok, err := New(Files{Vocab: vocab, Merges: merges})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := tok.Encode("a \xff b").IDs, tok.Encode("a \ufffd b").IDs; !slices.Equal(a, b) {
		t.Errorf("got %v, want %v", a, b)
	}
}

func TestDamagedFilesAreNamed(t *testing.T) {
	const vocab = `{"a": 0, "b</w>": 1,` + "\n" + `"ab</w>": 2, "<|startoftext|>": 3, "<|endoftext|>": 4}`
	const merges = "#version: 0.2\na b</w>\n"
	if _, err := New(Files{Vocab: []byte(vocab), Merges: []byte(merges)}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ vocab, merges, config, want string }{
		{"", merges, "", "vocab.json, line 1"},
		{"[1]", merges, "", "expected an object"},
		{"{\n\"a\": 0,\n\"b\": x}", merges, "", "vocab.json, line 3"},
		{"{\n\"a\": 0,\n\"b\": 1.5}", merges, "", `line 3: the token "b" has the number 1.5`},
		{"{\n\"a\": \"x\"}", merges, "", `line 2: the token "a"`},
		{"{\"a\": 0,\n\"b\": 0}", merges, "", `number 0 both to "a" and to "b"`},
		{"{\"a\": 0,\n\"b\": 1", merges, "", "may have been cut off"},
		{"{}", merges, "", "no tokens"},
		{vocab, "#version: 0.2\na b</w>\na\n", "", "merges.txt, line 3: expected two tokens"},
		{vocab, "a b c\n", "", "merges.txt, line 1: expected two tokens"},
		{vocab, "a b</w>\n\na b</w>", "", "merges.txt, line 2"},
		{vocab, "a z\n", "", `merges.txt, line 1: the token "z" is not in vocab.json`},
		{vocab, "a a\n", "", `the token "aa" is not in vocab.json`},
		{vocab, "\xff\n", "", "not UTF-8"},
		{vocab, merges, `{"bos_token": 3}`, "tokenizer_config.json: a token is a text or an object"},
		{vocab, merges, "{\n\"bos_token\": }", "tokenizer_config.json, line 2"},
		{vocab, merges, "{\n\"model_max_length\": []}", "tokenizer_config.json, line 2"},
		{vocab, merges, `{"eos_token": "<eos>"}`, `eos_token "<eos>" is not in the vocabulary`},
		{vocab, merges, `{"padding_side": "left"}`, "padding_side"},
		{vocab, merges, `{"truncation_side": "left"}`, "truncation_side"},
		{vocab, merges, `{"model_max_length": 2}`, "model_max_length is 2"},
		{vocab, merges, `{"pad_token": {"content": "a", "lstrip": true}}`, "lstrip"},
		{vocab, merges, `{"pad_token": ""}`, "pad_token is empty"},
		{vocab, merges, `{"added_tokens_decoder": {"7": {"content": "a"}}}`, "different models"},
		{vocab, merges, `{"added_tokens_decoder": {"x": {"content": "a"}}}`, `the key "x"`},
	} {
		var config []byte
		if tc.config != "" {
			config = []byte(tc.config)
		}
		_, err := New(Files{Vocab: []byte(tc.vocab), Merges: []byte(tc.merges), Config: config})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("vocab %q, merges %q, config %q: %v; want %q", tc.vocab, tc.merges, tc.config, err, tc.want)
		}
	}
}

func TestLongWordsTakeLittleTime(t *testing.T) {
	_, vocab, merges := readReference(t, "clip.json")
	tok, err := New(Files{Vocab: vocab, Merges: merges})
	if err != nil {
		t.Fatal(err)
	}
	// Quadratic merging would take minutes, so the test's time limit is the check.
	if got := tok.Encode(strings.Repeat("ab", 1<<19)); got.Count < 1<<17 {
		t.Errorf("%d tokens", got.Count)
	}
}

// FuzzEncode checks what is true of every text: the form of its encoding, and that nothing
// is lost except what normalization removes.
func FuzzEncode(f *testing.F) {
	r, vocab, merges := readReference(f, "clip.json")
	tok, err := New(Files{Vocab: vocab, Merges: merges, Config: r.Configs[0].Config})
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range r.Configs[0].Cases {
		f.Add(c.Text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := tok.Encode(text)
		if len(got.IDs) != tok.MaxLength || got.IDs[0] != tok.bos {
			t.Fatalf("%q: %v", text, got.IDs)
		}
		if last := min(got.Count, tok.MaxLength) - 1; got.IDs[last] != tok.eos {
			t.Fatalf("%q has no end token at %d: %v", text, last, got.IDs)
		}
		if (got.Overflow != "") && got.Count <= tok.MaxLength {
			t.Fatalf("%q fits and leaves out %q", text, got.Overflow)
		}
		if strings.Contains(text, "<") {
			return // the text may spell </w> or a special token
		}
		clean := strings.ReplaceAll(normalize(strings.ToValidUTF8(text, "\uFFFD")), " ", "")
		clean = strings.Trim(clean, "\x1c\x1d\x1e\x1f") // decode strips them, as Python does
		if back := strings.ReplaceAll(tok.Decode(tok.Tokens(text)), " ", ""); back != clean {
			t.Fatalf("%q comes back as %q", clean, back)
		}
	})
}
