//go:build js && wasm

package pipeline

import (
	"context"
	"maps"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/clip"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/prompt"
	"github.com/imprompt/imprompt/model/tokenizer"
)

// wordsCase is a case of tests/reference/words.py.
type wordsCase struct {
	Prompt, Negative string
	ClipSkip         int `json:"clip_skip"`
	Inversions       []string
	Values           []float32
	F16Error         float64 `json:"f16_error"`
	Moves            float64
}

// Weighted words, prompts of several chunks, clip_skip and textual inversions give diffusers'
// hidden states.
func TestWords(t *testing.T) {
	var f struct {
		Weighted, Plain map[string]wordsCase
		Vectors         map[string][][]float32
		Tokenizer       map[string]string
	}
	modeltest.Fixture(t, "words/words.json", &f)
	tok, err := tokenizer.Open(func(name string) ([]byte, error) {
		if text, ok := f.Tokenizer[name]; ok {
			return []byte(text), nil
		}
		return nil, os.ErrNotExist
	})
	if err != nil {
		t.Fatal(err)
	}
	m := modeltest.Models(t)["a"]
	config, err := clip.ParseTextConfig(m.Configs["text_encoder"])
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	modeltest.OnBothPaths(t, func(t *testing.T, d *gpu.Device) {
		text := clip.NewTextEncoder(config)
		modeltest.Load(t, d, text, m, "text_encoder")
		check := func(name string, c wordsCase, req *Request) {
			t.Run(name, func(t *testing.T) {
				r := &run{Pipeline: &Pipeline{Device: d, Text: text}, req: req, batch: 2}
				defer r.Encodings.Release()
				if err := r.encode(ctx); err != nil {
					t.Fatal(err)
				}
				got, err := r.words.Float32(ctx)
				if err != nil {
					t.Fatal(err)
				}
				modeltest.Compare(t, d, got, c.Values, c.F16Error)
				if c.Moves < 20*math.Max(1e-3, 2*c.F16Error) {
					t.Errorf("the states move by %g only", c.Moves)
				}
			})
		}
		for name, c := range f.Weighted {
			reader := prompt.NewReader(tok, config.VocabSize)
			positive, negative := reader.Weighted(c.Prompt), reader.Weighted(c.Negative)
			reader.Match(&positive, &negative)
			check(name, c, &Request{IDs: positive.IDs, NegativeIDs: negative.IDs,
				Text: Text{Chunk: tok.MaxLength, Weights: positive.Weights, NegativeWeights: negative.Weights}})
		}
		for name, c := range f.Plain {
			var embeddings []prompt.Embedding
			var vectors [][]float32
			for _, n := range slices.Sorted(maps.Keys(f.Vectors)) {
				if slices.Contains(c.Inversions, n) {
					embeddings = append(embeddings, prompt.Embedding{Names: []string{n}, Vectors: len(f.Vectors[n])})
					vectors = append(vectors, f.Vectors[n]...)
				}
			}
			reader := prompt.NewReader(tok, config.VocabSize, embeddings...)
			check(name, c, &Request{IDs: reader.Literal(c.Prompt).IDs, NegativeIDs: reader.Literal(c.Negative).IDs, Text: Text{ClipSkip: c.ClipSkip, Vectors: vectors}})
		}
	})
}
