//go:build js && wasm

package model

import (
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/imprompt/imprompt/gpu"
)

// The fixture of tests/reference/networks.py.
type networkFixture struct {
	IDs       [][]int32
	Timesteps []float64
	Latents   [2]int
	Pixels    [2]int
	Networks  map[string]struct {
		Shape    []int
		Values   []float32
		F16Error float64 `json:"f16_error"`
	}
	Layers map[string]testCase
}

// given is an input of networks.py: a hash, counted channels last.
func given(d *gpu.Device, model, name string, shape ...int) *gpu.Tensor {
	x := d.NewTensor(name, gpu.Act, shape...)
	n := 1
	for _, s := range shape {
		n *= s
	}
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(uniform("network/"+model+"/"+name, i))
	}
	x.SetFloat32(v)
	return x
}

// Every network by itself gives what transformers' and diffusers' give, so that a
// wrong picture can be traced to its network.
func TestNetworks(t *testing.T) {
	b, err := os.ReadFile("../tests/fixtures/networks/networks.json")
	if err != nil {
		t.Fatal(err)
	}
	nf := &networkFixture{}
	if err := json.Unmarshal(b, nf); err != nil {
		t.Fatal(err)
	}
	f := readFixture(t)
	onModels(t, f, func(t *testing.T, d *gpu.Device, models map[string]*testModel) {
		ctx := context.Background()
		for name, m := range models {
			check := func(part string, record func(p *gpu.Program) *gpu.Tensor) {
				t.Run(name+"/"+part, func(t *testing.T) {
					want, ok := nf.Networks[name+"/"+part]
					if !ok {
						t.Fatal("the fixture does not have it")
					}
					x, err := once(ctx, d, part, record)
					if err != nil {
						t.Fatal(err)
					}
					defer x.Release()
					got, err := x.Float32(ctx)
					if err != nil {
						t.Fatal(err)
					}
					compareNetwork(t, d, got, want.Values, want.F16Error)
				})
			}
			u := m.pipeline.UNet
			size := m.vision.Config.ImageSize
			pixels := given(d, name, "pixel_values", 2, size, size, 3)
			picture := given(d, name, "pixels", 1, nf.Pixels[0], nf.Pixels[1], 3)
			latents := given(d, name, "latents", 1, nf.Pixels[0]/8, nf.Pixels[1]/8, 4)
			embeds := given(d, name, "image_embeds", 2, 1, m.vision.Config.ProjectionDim)
			hidden := given(d, name, "hidden_states", 2, m.vision.Tokens(), m.vision.Config.HiddenSize)

			t.Run(name+"/text", func(t *testing.T) {
				x, err := m.pipeline.Text.Encode(ctx, d, nf.IDs)
				if err != nil {
					t.Fatal(err)
				}
				defer x.Release()
				got, err := x.Float32(ctx)
				if err != nil {
					t.Fatal(err)
				}
				compareNetwork(t, d, got, nf.Networks[name+"/text"].Values, nf.Networks[name+"/text"].F16Error)
			})
			check("image_embeds", func(p *gpu.Program) *gpu.Tensor { return m.vision.imageEmbeds(p, pixels) })
			check("penultimate", func(p *gpu.Program) *gpu.Tensor { return m.vision.penultimate(p, pixels) })
			check("vae_encode", func(p *gpu.Program) *gpu.Tensor { return m.pipeline.VAE.recordEncode(p, picture) })
			check("vae_decode", func(p *gpu.Program) *gpu.Tensor { return m.pipeline.VAE.recordDecode(p, latents) })
			check("global", func(p *gpu.Program) *gpu.Tensor { return m.adapters["global"].record(p, embeds) })
			check("plus", func(p *gpu.Program) *gpu.Tensor { return m.adapters["plus"].record(p, hidden) })

			t.Run(name+"/unet", func(t *testing.T) {
				words := given(d, name, "encoder_hidden_states", 2, len(nf.IDs[0]), u.Config.CrossAttentionDim)
				sample := given(d, name, "sample", 2, nf.Latents[0], nf.Latents[1], u.Config.InChannels)
				c, err := u.newConditioning(ctx, d, nf.Timesteps, 0, words, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer c.release()
				p := d.NewProgram("unet")
				defer p.Release()
				eps := u.record(p, sample, c)
				p.Keep(eps)
				defer eps.Release()
				if err := p.Build(ctx); err != nil {
					t.Fatal(err)
				}
				var got []float32
				for step := range nf.Timesteps {
					if err := p.Run(ctx, step); err != nil {
						t.Fatal(err)
					}
					v, err := eps.Float32(ctx)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, v...)
				}
				compareNetwork(t, d, got, nf.Networks[name+"/unet"].Values, nf.Networks[name+"/unet"].F16Error)
			})
		}
		for name, c := range nf.Layers {
			t.Run(name, func(t *testing.T) {
				compareNetwork(t, d, models[c.Model].run(t, c), c.Latents, c.F16Error)
			})
		}
	})
}

func compareNetwork(t *testing.T, d *gpu.Device, got, want []float32, f16Error float64) {
	t.Helper()
	tolerance := 1e-3
	if d.F16 {
		tolerance = 2 * f16Error
	}
	e := relativeError(got, want)
	t.Logf("relative error %.2g, at most %.2g", e, tolerance)
	if !(e <= tolerance) {
		t.Errorf("the output is off by %.3g, at most %.3g allowed", e, tolerance)
	}
}
