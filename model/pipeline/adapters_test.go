//go:build js && wasm

package pipeline

import (
	"maps"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/guides/ipadapter"
	"github.com/imprompt/imprompt/model/modeltest"
)

// What is taken from image prompts, how several are combined, a picture that the result should not
// be like, and the full-face adapter: tests/reference/adapters.py.
func TestAdapters(t *testing.T) {
	var f struct {
		Cases map[string]testCase
		Full  map[string][]int
	}
	modeltest.Fixture(t, "adapters/adapters.json", &f)
	m := modeltest.Models(t)["b"]
	m.Keys = maps.Clone(m.Keys)
	m.Keys["full"] = f.Full
	modeltest.OnBothPaths(t, func(t *testing.T, d *gpu.Device) {
		model := loadModel(t, d, m)
		full, err := ipadapter.New(m.Checkpoint("full", !d.F16), model.pipeline.UNet)
		if err != nil {
			t.Fatal(err)
		}
		modeltest.Load(t, d, full, m, "full")
		model.adapters["full"] = full
		for name, c := range f.Cases {
			t.Run(name, func(t *testing.T) {
				modeltest.Compare(t, d, model.run(t, c), c.Latents, c.F16Error)
			})
		}
	})
}
