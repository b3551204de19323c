package unet_test

import (
	"context"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/unet"
)

// The UNet gives what diffusers' gives, at several timesteps that share one conditioning.
func TestUNet(t *testing.T) {
	f := modeltest.ReadNetworks(t)
	modeltest.OnBothPaths(t, func(t *testing.T, d *gpu.Device) {
		for name, m := range modeltest.Models(t) {
			t.Run(name, func(t *testing.T) {
				f.Check(t, d, m, "unet", evaluate(t, d, m, f, f.Timesteps, unet.ConditioningTaps{}, nil))
			})
		}
	})
}

// evaluate runs a model's UNet on the fixture's inputs, one timestep after the other. tap,
// which may be nil, records what guides would.
func evaluate(t *testing.T, d *gpu.Device, m modeltest.Model, f modeltest.Networks, timesteps []float64, taps unet.ConditioningTaps, tap func(p *gpu.Program, t *unet.StepTaps)) []float32 {
	t.Helper()
	ctx := context.Background()
	c, err := unet.ParseConfig(m.Configs["unet"])
	if err != nil {
		t.Fatal(err)
	}
	u := unet.New(c)
	modeltest.Load(t, d, u, m, "unet")
	words := modeltest.Given(d, m, "encoder_hidden_states", 2, len(f.IDs[0]), c.CrossAttentionDim)
	defer words.Release()
	sample := modeltest.Given(d, m, "sample", 2, f.Latents[0], f.Latents[1], c.InChannels)
	defer sample.Release()
	cond, err := u.NewConditioning(ctx, d, unet.ConditioningOptions{Timesteps: timesteps, Words: words, Height: f.Latents[0], Width: f.Latents[1], Taps: taps})
	if err != nil {
		t.Fatal(err)
	}
	defer cond.Release()
	p := d.NewProgram("unet")
	defer p.Release()
	stepTaps := &unet.StepTaps{}
	if tap != nil {
		tap(p, stepTaps)
	}
	eps := u.Record(p, sample, cond, stepTaps)
	p.Keep(eps)
	defer eps.Release()
	if err := p.Build(ctx); err != nil {
		t.Fatal(err)
	}
	var got []float32
	for step := range timesteps {
		if err := p.Run(ctx, step); err != nil {
			t.Fatal(err)
		}
		v, err := eps.Float32(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, v...)
	}
	return got
}
