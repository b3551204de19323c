//go:build js && wasm

package pipeline

import (
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/modeltest"
)

// Guidance in a part of the steps gives diffusers' latents (tests/reference/guidance.py), also with the branches one
// after the other.
func TestGuidanceInterval(t *testing.T) {
	f := readFixture(t, "guidance/guidance.json")
	onModels(t, func(t *testing.T, d *gpu.Device, models models) {
		for name, c := range f.Cases {
			t.Run(name, func(t *testing.T) {
				m := models(c.Model)
				modeltest.Compare(t, d, m.run(t, c), c.Latents, c.F16Error)
				if name == "middle" {
					m.compareInLowMemory(t, d, c)
				}
			})
		}
	})
}
