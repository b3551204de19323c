package vae_test

import (
	"encoding/json"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/vae"
)

// The halves of a tiny autoencoder give what diffusers' give: tests/reference/tiny_vae.py.
func TestTiny(t *testing.T) {
	var f struct {
		Config   json.RawMessage
		Keys     map[string][]int
		Pixels   [2]int
		Networks map[string]modeltest.Output
	}
	modeltest.Fixture(t, "tiny_vae/tiny_vae.json", &f)
	m := modeltest.Model{Name: "tiny", Keys: map[string]map[string][]int{"vae": f.Keys}}
	config, err := vae.ParseConfig(f.Config)
	if err != nil {
		t.Fatal(err)
	}
	modeltest.OnBothPaths(t, func(t *testing.T, d *gpu.Device) {
		v := vae.New(config)
		modeltest.Load(t, d, v.Encoder, m, "vae")
		modeltest.Load(t, d, v.Decoder, m, "vae")
		h, w := f.Pixels[0], f.Pixels[1]
		pixels := d.NewTensor("pixels", gpu.Act, 1, h, w, 3)
		pixels.SetFloat32(v.EncoderInput(modeltest.GivenValues(m, "pixels", h*w*3)))
		latents := d.NewTensor("latents", gpu.F32, 1, h/8, w/8, 4)
		values := modeltest.GivenValues(m, "latents", h/8*w/8*4)
		for i := range values {
			values[i] *= 4
		}
		latents.SetFloat32(values)
		for name, got := range map[string][]float32{
			"encode": modeltest.Run(t, d, func(p *gpu.Program) *gpu.Tensor { return v.Encoder.Record(p, pixels) }),
			"decode": v.Picture(modeltest.Run(t, d, func(p *gpu.Program) *gpu.Tensor { return v.Decoder.Record(p, v.DecoderInput(p, latents)) })),
		} {
			t.Run(name, func(t *testing.T) { modeltest.Compare(t, d, got, f.Networks[name].Values, f.Networks[name].F16Error) })
		}
	})
}
