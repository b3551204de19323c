//go:build js && wasm

package pipeline

import (
	"context"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/modeltest"
)

// A second pass from the enlarged latents of the first gives diffusers' latents, and the first pass needs no decoder:
// tests/reference/hires.py.
func TestHires(t *testing.T) {
	var f struct {
		Cases map[string]struct {
			testCase
			Scale    float64 `json:"hires_scale"`
			Strength float64 `json:"hires_strength"`
			Steps    int     `json:"hires_steps"`
			Upscaler string  `json:"hires_upscaler"`
		}
	}
	modeltest.Fixture(t, "hires/hires.json", &f)
	onModels(t, func(t *testing.T, d *gpu.Device, models models) {
		for name, c := range f.Cases {
			t.Run(name, func(t *testing.T) {
				m := models(c.Model)
				m.change = func(req *Request) { req.LatentsOnly = true }
				t.Cleanup(func() { m.change = nil })
				first := m.run(t, c.testCase)
				if m.pixels != nil {
					t.Error("the first pass was decoded")
				}
				second := c.testCase
				larger := func(n int) int { return int(float64(n)*c.Scale) / 8 * 8 }
				second.Width, second.Height, second.Steps, second.Strength = larger(c.Width), larger(c.Height), c.Steps, c.Strength
				latents := Enlarge(first, c.Height/8, c.Width/8, second.Height/8, second.Width/8, c.Upscaler)
				m.change = func(req *Request) { req.InitLatents = [][]float32{latents} }
				modeltest.Compare(t, d, m.run(t, second), c.Latents, c.F16Error)
				if len(m.pixels) != 3*second.Width*second.Height {
					t.Errorf("the second pass has %d numbers", len(m.pixels))
				}
			})
		}
		// Latents are for each picture, and take the place of a start picture.
		c := f.Cases["latent"]
		req := &Request{Height: c.Height, Width: c.Width, Steps: 2, Strength: 1, NumImages: 2, InitLatents: [][]float32{nil}}
		if err := models(c.Model).pipeline.Run(context.Background(), req, func(Progress) {}, nil); err == nil {
			t.Error("latents for one picture of two are taken")
		}
	})
}
