//go:build js && wasm

package pipeline

import (
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/modeltest"
)

// A seed's noise that is turned towards another's gives the latents of tests/reference/variation.py.
func TestVariation(t *testing.T) {
	f := readFixture(t, "variation/variation.json")
	onModels(t, func(t *testing.T, d *gpu.Device, models models) {
		for name, c := range f.Cases {
			t.Run(name, func(t *testing.T) {
				modeltest.Compare(t, d, models(c.Model).run(t, c), c.Latents, c.F16Error)
			})
		}
	})
}
