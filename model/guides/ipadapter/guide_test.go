//go:build !js

package ipadapter

import (
	"slices"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/guides"
)

// "Style and composition" and "Style, precise" weigh all layers alike and differ in those that are opposed. Keys that
// were equal would let a run go on with what the other choice prepared.
func TestKeyTellsOpposedLayers(t *testing.T) {
	r := &guides.Run{Batch: 2, Height: 8, Width: 8}
	key := func(opposed []bool) string {
		g := &Guide{adapter: &Adapter{}, pixels: [][]float32{{0}}, lambda: guides.Lambda{Layers: []float64{1, 1}, End: 1, Opposed: opposed}}
		return g.Key(r)
	}
	keys := []string{key(nil), key([]bool{true, false}), key([]bool{false, true})}
	slices.Sort(keys)
	if len(slices.Compact(keys)) != 3 {
		t.Errorf("the keys are %q", keys)
	}
}

// Kept embeddings without negative ones get zeros of their own size, and hidden states without them are refused, also
// after others have left zeros in the run's encodings.
func TestNothingBesideKeptEmbeddings(t *testing.T) {
	r := &guides.Run{Device: gpu.NewPlanner(true, gpu.DefaultLimits), Encodings: &guides.Encodings{}, Batch: 2}
	for _, size := range []int{1024, 1280} {
		g := &Guide{kept: &Embeds{Pictures: 1, Tokens: 1, Size: size}}
		x, err := g.nothing(t.Context(), r, 1)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(x.Shape, []int{1, 1, size}) {
			t.Errorf("beside embeddings of %d numbers stand some of the shape %v", size, x.Shape)
		}
	}
	states := &Guide{kept: &Embeds{Pictures: 1, Tokens: 257, Size: 1280}}
	if _, err := states.nothing(t.Context(), r, 1); err == nil {
		t.Error("hidden states without negative ones are no error")
	}
}
