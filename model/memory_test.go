//go:build js && wasm

package model

import (
	"context"
	"testing"

	"github.com/imprompt/imprompt/gpu"
)

// In the low-memory mode, with a budget so small that every network leaves as soon as
// another is needed, pictures are the same: guidance in two passes, several adapters and
// masks, and inpainting, which needs both halves of the VAE.
func TestLowMemory(t *testing.T) {
	f := readFixture(t)
	onModels(t, f, func(t *testing.T, d *gpu.Device, models map[string]*testModel) {
		for _, name := range []string{"a_masks", "c_inpaint"} {
			c, ok := f.Cases[name]
			if !ok {
				t.Fatalf("the fixture has no case %s", name)
			}
			t.Run(name, func(t *testing.T) {
				m := models[c.Model]
				memory := m.scarce(t, d, f, c.Model)
				defer m.plenty(t, d, f, c.Model, memory)
				tolerance := 1e-3
				if d.F16 {
					tolerance = 2 * c.F16Error
				}
				if e := relativeError(m.run(t, c), c.Latents); !(e <= tolerance) {
					t.Errorf("the latents are off by %.3g, at most %.3g allowed", e, tolerance)
				}
				loaded := 0
				for _, r := range memory.networks {
					if r.loaded {
						loaded++
					}
				}
				if loaded != 1 {
					t.Errorf("%d networks are on the GPU after the run; the decoder alone should be", loaded)
				}
			})
		}
	})
}

// scarce gives the pipeline a Memory of no budget at all.
func (m *testModel) scarce(t *testing.T, d *gpu.Device, f *fixture, name string) *Memory {
	t.Helper()
	memory := &Memory{Device: d, Budget: 1}
	for part, networks := range m.networks() {
		for _, n := range networks {
			unload(n)
			if err := memory.Add(n, synthetic{name + "/" + part + "/", f.Models[name].Keys[part], d.Weights == gpu.WeightF32}); err != nil {
				t.Fatal(err)
			}
		}
	}
	m.pipeline.Memory, m.pipeline.LowMemory = memory, true
	m.pipeline.ReleaseEncodings()
	return memory
}

// plenty has all networks loaded again.
func (m *testModel) plenty(t *testing.T, d *gpu.Device, f *fixture, name string, memory *Memory) {
	t.Helper()
	memory.Budget = DefaultBudget
	for _, r := range memory.networks {
		if err := memory.Need(context.Background(), r.network); err != nil {
			t.Fatal(err)
		}
	}
	m.pipeline.LowMemory = false
}

// networks are the model's, by the part of the fixture that holds their keys.
func (m *testModel) networks() map[string][]Network {
	p := m.pipeline
	return map[string][]Network{"unet": {p.UNet}, "vae": {p.VAE.Encoder, p.VAE.Decoder}, "text_encoder": {p.Text}, "image_encoder": {m.vision},
		"global": {m.adapters["global"]}, "plus": {m.adapters["plus"]}}
}

// With limits so small that the VAE's pictures are cut into bands, it gives the same.
func TestVAEInBands(t *testing.T) {
	f := readFixture(t)
	onModels(t, f, func(t *testing.T, d *gpu.Device, models map[string]*testModel) {
		v := models["a"].pipeline.VAE
		ctx := context.Background()
		latents, pixels := given(d, "a", "latents", 1, 22, 24, 4), given(d, "a", "pixels", 1, 176, 192, 3)
		both := func() (picture, moments []float32, dispatches int) {
			for _, record := range []func(p *gpu.Program) *gpu.Tensor{
				func(p *gpu.Program) *gpu.Tensor { return v.recordDecode(p, latents) },
				func(p *gpu.Program) *gpu.Tensor { return v.recordEncode(p, pixels) },
			} {
				x, err := once(ctx, d, "VAE", func(p *gpu.Program) *gpu.Tensor {
					x := record(p)
					dispatches += p.Len()
					return x
				})
				if err != nil {
					t.Fatal(err)
				}
				got, err := x.Float32(ctx)
				if err != nil {
					t.Fatal(err)
				}
				x.Release()
				picture, moments = moments, got
			}
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
		for what, e := range map[string]float64{"decoder": relativeError(pictureCut, picture), "encoder": relativeError(momentsCut, moments)} {
			t.Logf("%s: cut and whole differ by %.2g", what, e)
			if !(e <= tolerance) {
				t.Errorf("%s: cut and whole differ by %.2g, at most %.2g allowed", what, e, tolerance)
			}
		}
	})
}
