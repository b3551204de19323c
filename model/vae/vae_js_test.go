package vae_test

import (
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/vae"
)

func load(t *testing.T, d *gpu.Device, m modeltest.Model) *vae.VAE {
	t.Helper()
	c, err := vae.ParseConfig(m.Configs["vae"])
	if err != nil {
		t.Fatal(err)
	}
	v := vae.New(c)
	modeltest.Load(t, d, v.Encoder, m, "vae")
	modeltest.Load(t, d, v.Decoder, m, "vae")
	return v
}

// The encoder and the decoder give what diffusers' give.
func TestVAE(t *testing.T) {
	f := modeltest.ReadNetworks(t)
	modeltest.OnBothPaths(t, func(t *testing.T, d *gpu.Device) {
		for name, m := range modeltest.Models(t) {
			t.Run(name, func(t *testing.T) {
				v := load(t, d, m)
				pixels := modeltest.Given(d, m, "pixels", 1, f.Pixels[0], f.Pixels[1], 3)
				latents := modeltest.Given(d, m, "latents", 1, f.Pixels[0]/8, f.Pixels[1]/8, 4)
				t.Run("encoder", func(t *testing.T) {
					f.Check(t, d, m, "vae_encode", modeltest.Run(t, d, func(p *gpu.Program) *gpu.Tensor { return v.Encoder.Record(p, pixels) }))
				})
				t.Run("decoder", func(t *testing.T) {
					f.Check(t, d, m, "vae_decode", modeltest.Run(t, d, func(p *gpu.Program) *gpu.Tensor { return v.Decoder.Record(p, latents) }))
				})
			})
		}
	})
}

// With limits so small that its pictures are cut into bands, the VAE gives the same.
func TestVAEInBands(t *testing.T) {
	modeltest.OnBothPaths(t, func(t *testing.T, d *gpu.Device) {
		m := modeltest.Models(t)["a"]
		v := load(t, d, m)
		latents, pixels := modeltest.Given(d, m, "latents", 1, 22, 24, 4), modeltest.Given(d, m, "pixels", 1, 176, 192, 3)
		both := func() (picture, moments []float32, dispatches int) {
			counted := func(record func(p *gpu.Program) *gpu.Tensor) []float32 {
				return modeltest.Run(t, d, func(p *gpu.Program) *gpu.Tensor {
					x := record(p)
					dispatches += p.Len()
					return x
				})
			}
			picture = counted(func(p *gpu.Program) *gpu.Tensor { return v.Decoder.Record(p, latents) })
			moments = counted(func(p *gpu.Program) *gpu.Tensor { return v.Encoder.Record(p, pixels) })
			return picture, moments, dispatches
		}
		picture, moments, whole := both()
		d.Limits.MaxStorageBufferBindingSize = 4 * 192 * 256 * 4 * 2 // bands of two rows
		pictureCut, momentsCut, cut := both()
		if cut < 3*whole {
			t.Fatalf("%d dispatches, and %d without limits: nothing was cut", cut, whole)
		}
		tolerance := 1e-5
		if d.F16 {
			tolerance = 2e-3
		}
		for what, e := range map[string]float64{"decoder": modeltest.RelativeError(pictureCut, picture), "encoder": modeltest.RelativeError(momentsCut, moments)} {
			t.Logf("%s: cut and whole differ by %.2g", what, e)
			if !(e <= tolerance) {
				t.Errorf("%s: cut and whole differ by %.2g, at most %.2g allowed", what, e, tolerance)
			}
		}
	})
}
