package state

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
)

func embedding(id, token string, vectors, dim int) store.Item {
	return stored(id, "textual_inversion", wide(dim), sha("sum of "+id), func(i *store.Item) {
		i.TextualInversion = &loader.TextualInversionInfo{Token: token, Vectors: vectors}
	})
}

// An embedding goes into a request whose words call it, and into the count of its tokens.
func TestEmbeddings(t *testing.T) {
	f := newFakeLibrary(t, stored("sd15", "model", wide(768)), embedding("bad-hands.safetensors", "", 8, 768), embedding("cat.safetensors", "<cat-toy>", 1, 768), embedding("other.safetensors", "", 1, 1024))
	s := settings.Default()
	s.Prompt, s.NegativePrompt, s.PromptWeights = "a <cat-toy>, concat, other", "(BAD-hands:1.2)", true
	if r := f.request(s); r.Jobs[0].TextualInversions != nil {
		t.Error("the model that ships uses embeddings")
	}
	f.Choose("sd15")
	if list := f.Embeddings(); len(list) != 2 || list[0].Name != "bad-hands" || list[0].Vectors != 8 {
		t.Fatalf("there are %+v", list)
	}
	job := f.request(s).Jobs[0]
	if !slices.Equal(job.TextualInversions, []string{"bad-hands.safetensors", "cat.safetensors"}) ||
		!maps.Equal(job.TextualInversionHashes, map[string]string{"bad-hands.safetensors": "sum of bad-hands.safetensors", "cat.safetensors": "sum of cat.safetensors"}) {
		t.Errorf("it is drawn with %q, %q", job.TextualInversions, job.TextualInversionHashes)
	}
	s.Prompt = "a fox <lora:ink:1>"
	want := protocol.Tokens{Prompt: "a fox", Negative: "(BAD-hands:1.2)", Weights: true, Embeddings: []protocol.Embedding{{Names: []string{"bad-hands"}, Vectors: 8}}}
	if got := f.Tokens(s); !reflect.DeepEqual(got, want) {
		t.Errorf("counted is %+v", got)
	}
	s.PromptWeights = false // then the brackets are words
	if got := f.request(s).Jobs[0].TextualInversions; !slices.Equal(got, []string{"bad-hands.safetensors"}) {
		t.Errorf("literally, it is drawn with %q", got)
	}
}

func TestAboutEmbedding(t *testing.T) {
	for vectors, want := range []string{"", "1 token", "2 tokens"} {
		if got := (Embedding{Vectors: vectors}).About(); got != want {
			t.Errorf("%d vectors are %q", vectors, got)
		}
	}
}

func TestToggleEmbedding(t *testing.T) {
	e := Embedding{Name: "bad-hands"}
	for _, c := range []struct{ text, want string }{
		{"", "bad-hands"},
		{"blur, ", "blur, bad-hands"},
		{"bad-handshake", "bad-handshake, bad-hands"},
		{"bad-hands", ""},
		{"blur, bad-hands, dark", "blur, dark"},
		{"blur, (BAD-HANDS:1.2)", "blur"},
		{"(bad-hands), blur bad-hands", "blur"},
		{"(bad-hands, blur:1.2), x", "(blur:1.2), x"},
		{"(blur, bad-hands:1.2)", "(blur:1.2)"},
	} {
		if got := e.Toggle(c.text, true); got != c.want {
			t.Errorf("%q became %q, want %q", c.text, got, c.want)
		}
	}
}
