package clip_test

import (
	"context"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/clip"
	"github.com/imprompt/imprompt/model/modeltest"
)

// The encoders give what transformers' give.
func TestEncoders(t *testing.T) {
	f := modeltest.ReadNetworks(t)
	modeltest.OnBothPaths(t, func(t *testing.T, d *gpu.Device) {
		for name, m := range modeltest.Models(t) {
			t.Run(name+"/text", func(t *testing.T) {
				c, err := clip.ParseTextConfig(m.Configs["text_encoder"])
				if err != nil {
					t.Fatal(err)
				}
				e := clip.NewTextEncoder(c)
				modeltest.Load(t, d, e, m, "text_encoder")
				x, err := e.Encode(context.Background(), d, f.IDs)
				if err != nil {
					t.Fatal(err)
				}
				defer x.Release()
				got, err := x.Float32(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				f.Check(t, d, m, "text", got)
			})
			for what, output := range map[string]clip.Output{"image_embeds": clip.ImageEmbeds, "penultimate": clip.Penultimate} {
				t.Run(name+"/"+what, func(t *testing.T) {
					c, err := clip.ParseVisionConfig(m.Configs["image_encoder"])
					if err != nil {
						t.Fatal(err)
					}
					e := clip.NewVisionEncoder(c)
					modeltest.Load(t, d, e, m, "image_encoder")
					pixels := modeltest.Given(d, m, "pixel_values", 2, c.ImageSize, c.ImageSize, 3)
					defer pixels.Release()
					f.Check(t, d, m, what, modeltest.Run(t, d, func(p *gpu.Program) *gpu.Tensor { return e.Record(p, pixels, output) }))
				})
			}
		}
	})
}
