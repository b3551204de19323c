//go:build js && wasm

package controlnet_test

import (
	"context"
	"encoding/json"
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
		Timestep float64
		Every    int
		Nets     map[string]struct {
			Config json.RawMessage
			Keys   map[string][]int
		}
		Networks map[string]modeltest.Output
	}
	modeltest.Fixture(t, "controlnet/controlnet.json", &f)
	size := modeltest.ReadNetworks(t).Latents
	ctx := context.Background()
	modeltest.OnBothPaths(t, func(t *testing.T, d *gpu.Device) {
		for name, want := range f.Networks {
			t.Run(name, func(t *testing.T) {
				model, net, _ := strings.Cut(name, "/")
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
				part := "controlnet " + net
				m.Keys[part] = f.Nets[name].Keys
				modeltest.Load(t, d, n, m, part)
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
				c, err := n.NewConditioning(ctx, d, unet.ConditioningOptions{Timesteps: []float64{f.Timestep}, Words: words})
				if err != nil {
					t.Fatal(err)
				}
				defer c.Release()

				p := d.NewProgram("ControlNet")
				defer p.Release()
				residuals := n.RecordResiduals(p, x, n.RecordHint(p, hint), c)
				for _, r := range residuals {
					p.Keep(r)
					defer r.Release()
				}
				if err := p.Build(ctx); err != nil {
					t.Fatal(err)
				}
				if err := p.Run(ctx, 0); err != nil {
					t.Fatal(err)
				}
				var all []float32
				for _, r := range residuals {
					v, err := r.Float32(ctx)
					if err != nil {
						t.Fatal(err)
					}
					all = append(all, v...)
				}
				var got []float32
				for i := 0; i < len(all); i += f.Every {
					got = append(got, all[i])
				}
				modeltest.Compare(t, d, got, want.Values, want.F16Error)
			})
		}
	})
}
