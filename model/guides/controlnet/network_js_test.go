//go:build js && wasm

package controlnet_test

import (
	"context"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/guides/controlnet"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/unet"
)

// Every residual is what diffusers' ControlNetModel gives, at an odd size, for maps of three and
// six channels and of another size.
func TestResiduals(t *testing.T) {
	var f struct {
		modeltest.Steering
		Timestep float64
	}
	modeltest.Fixture(t, "controlnet/controlnet.json", &f)
	size := modeltest.ReadNetworks(t).Latents
	modeltest.OnBothPaths(t, func(t *testing.T, d *gpu.Device) {
		for name := range f.Networks {
			t.Run(name, func(t *testing.T) {
				model, _, _ := strings.Cut(name, "/")
				m := modeltest.Models(t)[model]
				uc, err := unet.ParseConfig(m.Configs["unet"])
				if err != nil {
					t.Fatal(err)
				}
				config, err := controlnet.ParseConfig(f.Nets[name].Config)
				if err != nil {
					t.Fatal(err)
				}
				n, err := controlnet.New(config, unet.New(uc))
				if err != nil {
					t.Fatal(err)
				}
				f.Load(t, d, n, m, "controlnet", name)
				words := modeltest.Given(d, m, "encoder_hidden_states", 2, 16, uc.CrossAttentionDim)
				defer words.Release()
				x := modeltest.Given(d, m, "controlnet sample", 2, size[0], size[1], config.Encoder.InChannels)
				defer x.Release()
				factor := 1 << (len(config.EmbeddingChannels) - 1)
				values := modeltest.GivenValues(m, "map", size[0]*factor*size[1]*factor*config.ConditioningChannels)
				if config.BGR {
					for i := 0; i < len(values); i += 3 {
						values[i], values[i+2] = values[i+2], values[i]
					}
				}
				hint := d.NewTensor("map", gpu.Act, 2, size[0]*factor, size[1]*factor, config.ConditioningChannels)
				defer hint.Release()
				hint.SetFloat32(append(values, values...))
				c, err := n.NewConditioning(context.Background(), d, unet.ConditioningOptions{Timesteps: []float64{f.Timestep}, Words: words})
				if err != nil {
					t.Fatal(err)
				}
				defer c.Release()

				f.Check(t, d, name, modeltest.RunAll(t, d, func(p *gpu.Program) []*gpu.Tensor { return n.RecordResiduals(p, x, n.RecordHint(p, hint), c) }))
			})
		}
	})
}
