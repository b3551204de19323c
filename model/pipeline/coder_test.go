//go:build js && wasm

package pipeline

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/scheduler"
	"github.com/imprompt/imprompt/model/vae"
)

// The VAE and a tiny autoencoder encode and decode in tiles as diffusers' do: tests/reference/vae_tiling.py.
func TestVAETiling(t *testing.T) {
	var f struct {
		Cases map[string]struct {
			VAE, Method string
			Size        [2]int
			Every       int
			Latents     []float32
			F16Error    float64 `json:"f16_error"`
		}
		TinyTile int `json:"tiny_tile"`
	}
	modeltest.Fixture(t, "vae_tiling/vae_tiling.json", &f)
	modeltest.OnSharedDevices(t, func(t *testing.T, d *gpu.Device) {
		for name, c := range f.Cases {
			t.Run(name, func(t *testing.T) {
				v, m := loadVAE(t, d, c.VAE)
				if v.Config.Tiny {
					v.Tile = f.TinyTile
				}
				r := &run{Pipeline: &Pipeline{Device: d, VAE: v}, req: &Request{Height: c.Size[0], Width: c.Size[1], VAETiling: true}, factor: 8,
					h: c.Size[0] / 8, w: c.Size[1] / 8, progress: func(Progress) {}, schedule: &scheduler.Schedule{}}
				r.saturation = r.newSaturation()
				defer r.release()
				ctx := context.Background()
				err := r.chooseTiling(ctx)
				if err != nil || !r.tiled {
					t.Fatalf("tiles: %t, %v", r.tiled, err)
				}
				var got []float32
				if c.Method == "encode" {
					got, err = r.encodePixels(ctx, modeltest.GivenValues(m, c.Method, 3*c.Size[0]*c.Size[1]))
				} else {
					latents := modeltest.GivenValues(m, c.Method, 4*r.h*r.w)
					for i := range latents {
						latents[i] *= float32(v.Config.ScalingFactor)
					}
					last := 0.0
					got, err = (&programs{run: r, apart: true}).decodeLatents(ctx, latents, func(fraction float64) {
						if fraction <= last {
							t.Errorf("%g of the tiles are done after %g", fraction, last)
						}
						last = fraction
					})
					if last != 1 {
						t.Errorf("%g of the tiles are done", last)
					}
				}
				if err != nil {
					t.Fatal(err)
				}
				var some []float32
				for i := 0; i < len(got); i += c.Every {
					some = append(some, got[i])
				}
				modeltest.Compare(t, d, some, c.Latents, c.F16Error)
			})
		}
	})
}

// loadVAE loads the VAE of a small model, or the tiny autoencoder of tests/reference/tiny_vae.py.
func loadVAE(t *testing.T, d *gpu.Device, name string) (*vae.VAE, modeltest.Model) {
	t.Helper()
	m, text := modeltest.Models(t)[name], json.RawMessage(nil)
	if name == "tiny" {
		var f struct {
			Config json.RawMessage
			Keys   map[string][]int
		}
		modeltest.Fixture(t, "tiny_vae/tiny_vae.json", &f)
		m, text = modeltest.Model{Name: name, Keys: map[string]map[string][]int{"vae": f.Keys}}, f.Config
	} else {
		text = m.Configs["vae"]
	}
	config, err := vae.ParseConfig(text)
	if err != nil {
		t.Fatal(err)
	}
	v := vae.New(config)
	modeltest.Load(t, d, v.Encoder, m, "vae")
	modeltest.Load(t, d, v.Decoder, m, "vae")
	return v, m
}
