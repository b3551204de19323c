//go:build !js

package pipeline

import (
	"context"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
	"github.com/imprompt/imprompt/model/vae"
)

// At 512 × 512 the plans of Stable Diffusion 1.5's step and VAE take no more than half
// again what is alive at once, and no picture of the VAE is larger than the 128 MiB that
// every GPU binds.
func TestFullSizePlan(t *testing.T) {
	files := modeltest.ReadFullSize(t)
	ctx := context.Background()
	for _, f16 := range []bool{true, false} {
		d := gpu.NewPlanner(f16, gpu.DefaultLimits)
		uc, err1 := unet.ParseConfig(files["sd15/unet/config.json"])
		vc, err2 := vae.ParseConfig(files["sd15/vae/config.json"])
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		u, v := unet.New(uc), vae.New(vc)
		vaeFile := files.Checkpoint(t, "sd15/vae/diffusion_pytorch_model.fp16.safetensors")
		for _, err := range []error{
			nn.Load(ctx, d, u, files.Checkpoint(t, "sd15/unet/diffusion_pytorch_model.fp16.safetensors"), gpu.WeightF16, nil),
			nn.Load(ctx, d, v.Decoder, vaeFile, gpu.WeightF16, nil),
			nn.Load(ctx, d, v.Encoder, vaeFile, gpu.WeightF16, nil),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		c, err := u.NewConditioning(ctx, d, unet.ConditioningOptions{Timesteps: []float64{1}, Words: d.NewTensor("words", gpu.Act, 2, 77, 768)})
		if err != nil {
			t.Fatal(err)
		}
		for name, record := range map[string]func(p *gpu.Program) *gpu.Tensor{
			"step":    func(p *gpu.Program) *gpu.Tensor { return u.Record(p, d.NewTensor("x", gpu.Act, 2, 64, 64, 4), c, nil) },
			"decoder": func(p *gpu.Program) *gpu.Tensor { return v.Decoder.Record(p, d.NewTensor("x", gpu.Act, 1, 64, 64, 4)) },
			"encoder": func(p *gpu.Program) *gpu.Tensor {
				return v.Encoder.Record(p, d.NewTensor("x", gpu.Act, 1, 512, 512, 3))
			},
		} {
			p := d.NewProgram(name)
			record(p)
			planned, alive := p.TransientBytes(), p.LowerBound()
			t.Logf("f16 %t, %s: %d MiB, %d alive at once, %d dispatches", f16, name, planned>>20, alive>>20, p.Len())
			if float64(planned) > 1.51*float64(alive) {
				t.Errorf("f16 %t: the %s's plan takes %d MiB, and %d are alive at once", f16, name, planned>>20, alive>>20)
			}
			if err := p.Build(ctx); err != nil {
				t.Error(err)
			}
		}
	}
}
