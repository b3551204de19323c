package ipadapter_test

import (
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/clip"
	"github.com/imprompt/imprompt/model/guides/ipadapter"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/unet"
)

// The projections give what diffusers' give.
func TestTokens(t *testing.T) {
	f := modeltest.ReadNetworks(t)
	modeltest.OnBothPaths(t, func(t *testing.T, d *gpu.Device) {
		for name, m := range modeltest.Models(t) {
			uc, err := unet.ParseConfig(m.Configs["unet"])
			if err != nil {
				t.Fatal(err)
			}
			vc, err := clip.ParseVisionConfig(m.Configs["image_encoder"])
			if err != nil {
				t.Fatal(err)
			}
			u, v := unet.New(uc), clip.NewVisionEncoder(vc)
			for form, input := range map[string]*gpu.Tensor{
				"global": modeltest.Given(d, m, "image_embeds", 2, 1, vc.ProjectionDim),
				"plus":   modeltest.Given(d, m, "hidden_states", 2, v.Tokens(), vc.HiddenSize),
			} {
				t.Run(name+"/"+form, func(t *testing.T) {
					a, err := ipadapter.New(m.Checkpoint(form, !d.F16), u)
					if err != nil {
						t.Fatal(err)
					}
					modeltest.Load(t, d, a, m, form)
					f.Check(t, d, m, form, modeltest.Run(t, d, func(p *gpu.Program) *gpu.Tensor { return a.RecordTokens(p, input) }))
				})
			}
		}
	})
}
