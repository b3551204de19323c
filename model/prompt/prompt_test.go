package prompt

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/tokenizer"
)

// The markup means what it means in diffusers' lpw pipeline: tests/reference/words.py.
func TestParse(t *testing.T) {
	var f struct {
		Parsed []struct {
			Text  string
			Parts [][2]any
		}
	}
	modeltest.Fixture(t, "words/words.json", &f)
	if len(f.Parsed) < 15 {
		t.Fatalf("the fixture has %d texts", len(f.Parsed))
	}
	for _, c := range f.Parsed {
		got := Parse(c.Text)
		same := len(got) == len(c.Parts)
		for i := 0; same && i < len(got); i++ {
			same = got[i].Text == c.Parts[i][0] && math.Abs(got[i].Weight-c.Parts[i][1].(float64)) < 1e-12
		}
		if !same {
			t.Errorf("%q:\n got %v\nwant %v", c.Text, got, c.Parts)
		}
	}
}

func TestBreak(t *testing.T) {
	got := Parse("a fox BREAK (blue\n BREAK sky:1.5) BREAKFAST")
	want := []Part{{Text: "a fox", Weight: 1}, {Break: true}, {Text: "blue", Weight: 1.5}, {Break: true}, {Text: "sky", Weight: 1.5}, {Text: " BREAKFAST", Weight: 1}}
	for i := range got {
		if got[i].Break {
			got[i].Weight = 0
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A space around the number is allowed, as in the web UI.
func TestWeightWithSpaces(t *testing.T) {
	if got := Parse("(fox: 1.3 )"); len(got) != 1 || got[0] != (Part{Text: "fox", Weight: 1.3}) {
		t.Errorf("got %v", got)
	}
}

func TestMarksAreTheText(t *testing.T) {
	for _, text := range []string{"", "a (fox:1.3), [b\\(] BREAK c", "((a:x) b] \\", "(a (b:0.5) c", "été (雪:2)"} {
		var b strings.Builder
		for _, m := range Marks(text) {
			b.WriteString(m.Text)
		}
		if b.String() != text {
			t.Errorf("%q became %q", text, b.String())
		}
	}
	marks := Marks("a (fox:1.3) b")
	if len(marks) != 3 || marks[1] != (Mark{Text: "fox", Weight: 1.3}) {
		t.Errorf("the marks are %v", marks)
	}
}

func TestEscape(t *testing.T) {
	for _, text := range []string{`a (fox:1.2) [b] \ c`, `\(`, "plain"} {
		parts := Parse(Escape(text))
		if len(parts) != 1 || parts[0].Weight != 1 || parts[0].Text != text {
			t.Errorf("%q, escaped, is read as %v", text, parts)
		}
	}
}

// small is a tokenizer of chunks of eight tokens.
func small(t *testing.T) *tokenizer.Tokenizer {
	t.Helper()
	files := map[string]string{
		"vocab.json":            `{"a":0,"b":1,"c":2,"a</w>":3,"b</w>":4,"c</w>":5,",</w>":6,"<|startoftext|>":7,"<|endoftext|>":8}`,
		"merges.txt":            "#version: 0.2\n",
		"tokenizer_config.json": `{"tokenizer_class":"CLIPTokenizer","model_max_length":8,"bos_token":"<|startoftext|>","eos_token":"<|endoftext|>","pad_token":"<|endoftext|>","unk_token":"<|endoftext|>"}`,
	}
	tok, err := tokenizer.Open(func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, os.ErrNotExist
	})
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestChunks(t *testing.T) {
	r := NewReader(small(t), 9, Embedding{Names: []string{"cab", "<c>"}, Vectors: 3}, Embedding{Names: []string{"ca"}, Vectors: 2})
	const s, e = 7, 8
	w := r.Weighted("a b c a b BREAK (c:1.5) ca cab")
	want := []int32{s, 3, 4, 5, 3, 4, e, e, s, 5, 12, 13, 9, 10, 11, e}
	if !slices.Equal(w.IDs, want) {
		t.Errorf("the ids are %v, want %v", w.IDs, want)
	}
	weights := []float32{1, 1, 1, 1, 1, 1, 1, 1, 1, 1.5, 1, 1, 1, 1, 1, 1}
	if !slices.Equal(w.Weights, weights) {
		t.Errorf("the weights are %v, want %v", w.Weights, weights)
	}
	if w.Count != 7+8 || !slices.Equal(w.Found, []string{"ca", "cab"}) {
		t.Errorf("%d tokens, and %v was found", w.Count, w.Found)
	}
	// An embedding is not cut in two.
	if w := r.Weighted("a b c a cab"); !slices.Equal(w.IDs, []int32{s, 3, 4, 5, 3, e, e, e, s, 9, 10, 11, e, e, e, e}) || w.Weights != nil {
		t.Errorf("the ids are %v, and the weights %v", w.IDs, w.Weights)
	}
	short := r.Weighted("(a:2)")
	r.Match(&w, &short)
	if len(short.IDs) != len(w.IDs) || short.IDs[8] != s || len(short.Weights) != len(w.IDs) {
		t.Errorf("beside two chunks, a short prompt is %v with %v", short.IDs, short.Weights)
	}
	if w := r.Literal("a (b:2) cab, a b c"); w.IDs[7] != e || w.Overflow == "" || w.Weights != nil {
		t.Errorf("literally, the words are %+v", w)
	}
}

// Names are found where they are read as embeddings, and nowhere else.
func TestFind(t *testing.T) {
	names := []string{"cat", "Bad-Hands", "bad-hands v2", "foo(v2)", "<toy>"}
	for _, c := range []struct {
		text    string
		weights bool
		want    string
	}{
		{"a cat, concat cats CAT", true, "cat|CAT"},
		{"(bad-hands:1.2) BAD - hands", true, "bad-hands|BAD - hands"},
		{"bad-hands v 2, bad-hands v3", true, "bad-hands v 2|bad-hands"},
		{"bad-hands BREAK v2", true, "bad-hands"},
		{`foo\(v2\) foo(v2)`, true, `foo\(v2\)`},
		{`foo\(v2\) foo(v2)`, false, `foo(v2)`},
		{"a (cat", true, "cat"},
		{"<toy> toy <toy>,", true, "<toy>"},
		{"", true, ""},
	} {
		var got []string
		for _, u := range Find(c.text, c.weights, names) {
			got = append(got, c.text[u.From:u.To])
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%q: found %q, want %q", c.text, got, c.want)
		}
	}
}
