//go:build js && wasm

package pipeline

import (
	"maps"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/modeltest"
)

// Pipelines with a reference picture give the latents of diffusers' community pipeline: with
// every style fidelity, with a scheduler that draws noise, from a start picture, and with AdaIN in place of
// the attention or beside it. In the low-memory mode they give the same.
func TestReference(t *testing.T) {
	var f, adain fixture
	modeltest.Fixture(t, "reference_only/reference_only.json", &f)
	modeltest.Fixture(t, "reference_only/adain.json", &adain)
	maps.Copy(f.Cases, adain.Cases)
	onModels(t, func(t *testing.T, d *gpu.Device, models models) {
		for name, c := range f.Cases {
			t.Run(name, func(t *testing.T) {
				modeltest.Compare(t, d, models(c.Model).run(t, c), c.Latents, c.F16Error)
			})
		}
		t.Run("low memory", func(t *testing.T) {
			c := f.Cases["a_both"]
			models(c.Model).compareInLowMemory(t, d, c)
		})
	})
}
