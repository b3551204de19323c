//go:build js && wasm

package pipeline

import (
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/modeltest"
)

// DeepCache gives the latents of its own package (tests/reference/deep_cache.py), also with the branches one after
// the other.
func TestDeepCache(t *testing.T) {
	f := readFixture(t, "deep_cache/deep_cache.json")
	onModels(t, func(t *testing.T, d *gpu.Device, models models) {
		for name, c := range f.Cases {
			t.Run(name, func(t *testing.T) {
				m := models(c.Model)
				modeltest.Compare(t, d, m.run(t, c), c.Latents, c.F16Error)
				if name == "two" {
					m.compareInLowMemory(t, d, c)
				}
			})
		}
	})
}
