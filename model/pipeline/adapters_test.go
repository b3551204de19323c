//go:build js && wasm

package pipeline

import (
	"maps"
	"slices"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/guides/ipadapter"
	"github.com/imprompt/imprompt/model/modeltest"
)

// What is taken from image prompts, how several are combined, a picture that the result should not
// be like, the full-face adapter, and pictures in tiles: tests/reference/adapters.py and tiled.py.
// With embeddings that were kept, all of them give the same to the bit.
func TestAdapters(t *testing.T) {
	var f struct {
		Cases map[string]testCase
		Full  map[string][]int
	}
	modeltest.Fixture(t, "adapters/adapters.json", &f)
	var tiled struct {
		Cases  map[string]testCase
		Embeds struct {
			Shape  []int
			Values []float32
		}
	}
	modeltest.Fixture(t, "adapters/tiled.json", &tiled)
	maps.Copy(f.Cases, tiled.Cases)
	kept := map[string]bool{"tiled_plus": true, "negative_plus": true, "full": true, "average": true, "kept": true}
	m := modeltest.Models(t)["b"]
	m.Keys = maps.Clone(m.Keys)
	m.Keys["full"] = f.Full
	modeltest.OnSharedDevices(t, func(t *testing.T, d *gpu.Device) {
		model := sharedModel(t, d, m)
		defer func() { model.keep = nil }() // the package's other tests have the same model
		full, err := ipadapter.New(m.Checkpoint("full", !d.F16), model.pipeline.UNet)
		if err != nil {
			t.Fatal(err)
		}
		modeltest.Load(t, d, full, m, "full")
		model.adapters["full"] = full
		for name, c := range f.Cases {
			t.Run(name, func(t *testing.T) {
				model.keep = nil
				latents := model.run(t, c)
				modeltest.Compare(t, d, latents, c.Latents, c.F16Error)
				if !kept[name] {
					return
				}
				model.keep = func(g *ipadapter.Guide, lambda guides.Lambda) *ipadapter.Guide {
					embeds, err := g.Embed(t.Context(), &guides.Run{Device: d, Encodings: &model.pipeline.Encodings, Batch: 2})
					if err != nil {
						t.Fatal(err)
					}
					other, err := ipadapter.NewGuideOf(model.adapters[c.Adapters[0].Kind], embeds, lambda)
					if err != nil {
						t.Fatal(err)
					}
					other.Combine, other.Places = g.Combine, g.Places
					return other
				}
				if !slices.Equal(latents, model.run(t, c)) {
					t.Error("kept embeddings give other latents than their pictures")
				}
			})
		}
		t.Run("diffusers' embeddings", func(t *testing.T) {
			c, half := tiled.Cases["kept"], len(tiled.Embeds.Values)/2
			model.keep = func(_ *ipadapter.Guide, lambda guides.Lambda) *ipadapter.Guide {
				g, err := ipadapter.NewGuideOf(model.adapters["global"], &ipadapter.Embeds{Pictures: 2, Tokens: 1, Size: half / 2,
					Values: tiled.Embeds.Values[half:], Negative: tiled.Embeds.Values[:half]}, lambda)
				if err != nil {
					t.Fatal(err)
				}
				return g
			}
			modeltest.Compare(t, d, model.run(t, c), c.Latents, c.F16Error)
		})
	})
}
