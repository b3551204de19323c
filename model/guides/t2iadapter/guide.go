package t2iadapter

import (
	"context"
	"fmt"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
)

// Options are how an adapter works in one run.
type Options struct {
	Map        []float32 // [H, W, Channels] of the result's size, in 0..1
	Lambda     float64   // adapter_conditioning_scale
	Start, End float64   // fractions of the steps between which it works
}

// Guide is one adapter with its map in one run of the pipeline. Several of them add up, as in
// diffusers' MultiAdapter.
type Guide struct {
	adapter  *Adapter
	options  Options
	features []*gpu.Tensor // by down block: Act [1, h, w, C]
	lambda   *gpu.Tensor   // F32 [steps, 1]
}

// NewGuide returns a guide for one run.
func NewGuide(a *Adapter, o Options) *Guide { return &Guide{adapter: a, options: o} }

// Networks implements guides.Guide: the features are computed before the steps.
func (g *Guide) Networks() []nn.Network { return nil }

// Release implements guides.Guide.
func (g *Guide) Release() {
	for _, t := range append(g.features, g.lambda) {
		t.Release()
	}
	g.features, g.lambda = nil, nil
}

// Prepare implements guides.Guide. It computes the features.
func (g *Guide) Prepare(ctx context.Context, r *guides.Run) error {
	o, c := g.options, g.adapter.config
	if o.Lambda == 0 {
		return nil
	}
	height, width := r.Height*8, r.Width*8
	if c.DownscaleFactor != 8 || len(o.Map) != height*width*c.InChannels {
		return fmt.Errorf("the T2I-Adapter shrinks a map of %d channels by %d, and the latents are an eighth of the picture: it belongs to another base model",
			c.InChannels, c.DownscaleFactor)
	}
	if err := r.Memory.Need(ctx, g.adapter); err != nil {
		return err
	}
	in := r.Device.NewTensor("map", gpu.Act, 1, r.Height, r.Width, c.InChannels*64)
	defer in.Release()
	in.SetFloat32(Unshuffle(o.Map, height, width, c.InChannels, 8))
	var err error
	g.features, err = nn.OnceAll(ctx, r.Device, "T2I-Adapter", func(p *gpu.Program) []*gpu.Tensor {
		features := g.adapter.Record(p, in)
		r.Memory.Room(p.TransientBytes(), g.adapter)
		return features
	})
	if err != nil {
		return err
	}
	g.lambda = guides.Lambda{Layers: []float64{o.Lambda}, Start: o.Start, End: o.End}.Tensor(r.Device, r.Steps)
	return nil
}

// Record implements guides.Guide.
func (g *Guide) Record(_ *gpu.Program, _ *gpu.Tensor, _ *guides.Branch, t *unet.StepTaps) {
	for i, f := range g.features {
		t.AddDown(i, unet.Residual{X: f, Lambda: g.lambda})
	}
}
