package pipeline

import (
	"context"
	"errors"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
)

// guidesRun is what guides are told.
func (r *run) guidesRun() *guides.Run {
	return &guides.Run{Device: r.Device, Memory: r.Memory, UNet: r.UNet, Encodings: &r.Encodings,
		Steps: len(r.schedule.Steps), Timesteps: r.timesteps(), Batch: r.batch, Branches: r.branches,
		Words: r.words, Height: r.h, Width: r.w}
}

// prepare lets every guide compute what its steps share.
func (r *run) prepare(ctx context.Context) error {
	run := r.guidesRun()
	for _, g := range r.req.Guides {
		if n, ok := g.(guides.Noised); ok {
			if r.noised != nil {
				return errors.New("two guides read a noisy picture each, and one is supported: leave one of the reference pictures out")
			}
			r.noised = n
		}
		r.later(g.Release)
		if err := g.Prepare(ctx, run); err != nil {
			return err
		}
	}
	return nil
}

// condition computes what the UNet's steps share, for every branch.
func (r *run) condition(ctx context.Context) error {
	// Together with the guides' networks, so that loading the UNet does not unload them.
	if err := r.Memory.Need(ctx, r.stepNetworks()...); err != nil {
		return err
	}
	run := r.guidesRun()
	for _, b := range r.branches {
		words, release, err := run.Entries(ctx, r.words, b.First, b.Count)
		if err != nil {
			return err
		}
		r.later(release)
		c, err := r.UNet.NewConditioning(ctx, r.Device, unet.ConditioningOptions{
			Timesteps: run.Timesteps, Guidance: r.req.GuidanceScale - 1, Words: words, Height: r.h, Width: r.w, Taps: b.Taps, Full: b.Full, TomeRatio: r.req.TomeRatio})
		if err != nil {
			return err
		}
		r.later(c.Release)
		b.Conditioning = c
	}
	return nil
}

func (r *run) timesteps() []float64 {
	list := make([]float64, len(r.schedule.Steps))
	for i, s := range r.schedule.Steps {
		list[i] = s.Timestep
	}
	return list
}

// stepNetworks are the networks that a step runs.
func (r *run) stepNetworks() []nn.Network {
	list := []nn.Network{r.UNet}
	for _, g := range r.req.Guides {
		list = append(list, g.Networks()...)
	}
	return list
}

// predict records the guides and the UNet for one branch.
func (r *run) predict(p *gpu.Program, x *gpu.Tensor, branch int) *gpu.Tensor {
	taps := &unet.StepTaps{}
	for _, g := range r.req.Guides {
		g.Record(p, x, r.branches[branch], taps)
	}
	return r.UNet.Record(p, x.First(1), r.branches[branch].Conditioning, taps) // all entries are the same
}

// reads reports whether a guide reads a picture through the VAE.
func reads(g guides.Guide) bool {
	_, ok := g.(guides.Noised)
	return ok
}

func separate(g guides.Guide) bool {
	s, ok := g.(guides.Separate)
	return ok && s.Separate()
}
