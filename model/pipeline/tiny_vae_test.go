//go:build js && wasm

package pipeline

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/vae"
)

// A tiny autoencoder in place of the VAE gives diffusers' latents and pictures, and as the decoder
// of the previews it draws the last of them as it draws the picture: tests/reference/tiny_vae.py.
func TestTinyVAE(t *testing.T) {
	var f struct {
		Config json.RawMessage
		Keys   map[string][]int
		Cases  map[string]struct {
			testCase
			Picture         []float32
			PictureF16Error float64 `json:"picture_f16_error"`
		}
	}
	modeltest.Fixture(t, "tiny_vae/tiny_vae.json", &f)
	tiny := modeltest.Model{Name: "tiny", Keys: map[string]map[string][]int{"vae": f.Keys}}
	config, err := vae.ParseConfig(f.Config)
	if err != nil {
		t.Fatal(err)
	}
	modeltest.OnBothPaths(t, func(t *testing.T, d *gpu.Device) {
		v := vae.New(config)
		modeltest.Load(t, d, v.Encoder, tiny, "vae")
		modeltest.Load(t, d, v.Decoder, tiny, "vae")
		for name, c := range f.Cases {
			t.Run(name, func(t *testing.T) {
				m := loadModel(t, d, modeltest.Models(t)[c.Model])
				m.pipeline.VAE, m.pipeline.Preview = v, v
				t.Cleanup(m.pipeline.Forget)
				var preview Preview
				m.progress = func(p Progress) {
					if p.Preview == nil {
						return
					}
					var err error
					if preview, err = p.Preview(context.Background()); err != nil {
						t.Error(err)
					}
				}
				modeltest.Compare(t, d, m.run(t, c.testCase), c.Latents, c.F16Error)
				var some []float32
				for i := 0; i < len(m.pixels); i += 7 {
					some = append(some, m.pixels[i])
				}
				modeltest.Compare(t, d, some, c.Picture, c.PictureF16Error)
				if preview.Height != c.Height || preview.Width != c.Width {
					t.Fatalf("the preview has %d × %d pixels", preview.Width, preview.Height)
				}
				// The last step leaves nothing but what the model expects.
				if e := modeltest.RelativeError(preview.Pixels, m.pixels); !(e < 1e-3) {
					t.Errorf("the last preview differs from the picture by %.2g", e)
				}
			})
		}
	})
}
