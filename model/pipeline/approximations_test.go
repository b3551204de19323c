//go:build js && wasm

package pipeline

import (
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/modeltest"
)

// Guidance in a part of the steps gives diffusers' latents (tests/reference/guidance.py).
func TestGuidanceInterval(t *testing.T) { testApproximation(t, "guidance/guidance.json", "middle") }

// DeepCache gives the latents of its own package (tests/reference/deep_cache.py).
func TestDeepCache(t *testing.T) { testApproximation(t, "deep_cache/deep_cache.json", "two") }

// Token merging gives the latents of its own package (tests/reference/tome.py).
func TestTokenMerging(t *testing.T) { testApproximation(t, "tome/tome.json", "odd") }

// testApproximation draws the cases of a fixture, and one of them also with the branches one after the other.
func testApproximation(t *testing.T, fixture, apart string) {
	t.Helper()
	f := readFixture(t, fixture)
	onModels(t, func(t *testing.T, d *gpu.Device, models models) {
		for name, c := range f.Cases {
			t.Run(name, func(t *testing.T) {
				m := models(c.Model)
				modeltest.Compare(t, d, m.run(t, c), c.Latents, c.F16Error)
				if name == apart {
					m.compareInLowMemory(t, d, c)
				}
			})
		}
	})
}
