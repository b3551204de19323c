package controlnet

import (
	"context"
	"fmt"
	"slices"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
)

// Options are how a ControlNet works in one run.
type Options struct {
	// Map is the picture that it reads, [H, W, Channels] of the result's size in 0..1. Pixels
	// of -1 are those that an inpaint ControlNet repaints.
	Map        []float32
	Lambda     float64 // controlnet_conditioning_scale
	Start, End float64 // fractions of the steps between which it works
	Balance    Balance
}

// Guide is one ControlNet with its map in one run of the pipeline.
type Guide struct {
	network     *ControlNet
	pixels      []float32
	lambda      guides.Lambda // its layers are the residuals
	conditional bool          // whether only the conditional entry has the residuals
	off         bool          // it has no effect in any step
	active      []bool        // by step; nil where it works in all of them

	behind   *gpu.Tensor                  // Act [r.Batch, T, D]: tokens behind the words, for a local adapter; or nil
	prepared map[*guides.Branch]*prepared // without the branches that have no residuals
	hint     *gpu.Tensor                  // Act [1, h, w, C]; nil for a local adapter
	maps     []*gpu.Tensor                // of a local adapter: what RecordModulations makes
	table    *gpu.Tensor                  // F32 [steps, residuals]: λ, for residuals that Add adds
	factors  []*gpu.Tensor                // by residual: F32 [steps, C], λ in every channel, for those that a convolution adds
	held     guides.Held
}

// prepared is what the steps of a branch share.
type prepared struct {
	first, count int // the branch's entries that the network computes
	conditioning *unet.Conditioning
}

// NewGuide returns a guide for one run.
func NewGuide(n *ControlNet, o Options) (*Guide, error) {
	weights, err := o.Balance.weights(n.Residuals(), o.Lambda, n.GlobalPool())
	if err != nil {
		return nil, err
	}
	pixels := o.Map
	if n.config.BGR {
		pixels = slices.Clone(pixels)
		for at := 0; at < len(pixels); at += n.Channels() {
			slices.Reverse(pixels[at : at+n.Channels()])
		}
	}
	return &Guide{network: n, pixels: pixels, lambda: guides.Lambda{Layers: weights, Start: o.Start, End: o.End},
		conditional: o.Balance.conditionalOnly(), off: o.Lambda == 0, prepared: map[*guides.Branch]*prepared{}}, nil
}

// ReadBehindWords gives tokens to a local adapter, which stand behind the words that it reads. It is called
// before Prepare.
//
//	tokens: Act [r.Batch, T, cross_attention_dim], valid until Prepare has ended
func (g *Guide) ReadBehindWords(tokens *gpu.Tensor) { g.behind = tokens }

// Networks implements guides.Guide.
func (g *Guide) Networks() []nn.Network {
	if g.off {
		return nil
	}
	return []nn.Network{g.network}
}

// Release implements guides.Guide.
func (g *Guide) Release() {
	g.held.Release()
	clear(g.prepared)
}

// Prepare implements guides.Guide. It computes the map's embedding, the time embeddings, and
// the words' keys and values.
func (g *Guide) Prepare(ctx context.Context, r *guides.Run) error {
	g.active = guides.Active(g.lambda.Start, g.lambda.End, r.Steps)
	g.off = g.off || !slices.Contains(g.active, true)
	if g.off {
		return nil
	}
	if !slices.Contains(g.active, false) {
		g.active = nil
	}
	if err := r.Memory.Need(ctx, g.network); err != nil {
		return err
	}
	made, err := g.embed(ctx, r)
	if err != nil {
		return err
	}
	for _, t := range made {
		g.held.Add(t.Release)
	}
	if g.network.Features != nil {
		g.maps = made
	} else {
		g.hint = made[0]
	}
	for _, b := range r.Branches {
		p := &prepared{count: b.Count}
		if g.conditional && r.Batch == 2 {
			if p.first, p.count = b.Conditional(r.Batch), 1; p.first < 0 {
				continue
			}
		}
		if err := g.prepare(ctx, r, b, p); err != nil {
			return err
		}
		g.prepared[b] = p
	}
	g.table = g.lambda.Tensor(r.Device, r.Steps)
	g.held.Add(g.table.Release)
	g.makeFactors(r)
	return nil
}

// prepare computes what the steps of a branch share.
func (g *Guide) prepare(ctx context.Context, r *guides.Run, b *guides.Branch, p *prepared) error {
	words, release, err := r.Entries(ctx, r.Words, b.First+p.first, p.count)
	if err != nil {
		return err
	}
	defer release()
	o := unet.ConditioningOptions{Timesteps: r.Timesteps, Words: words, Full: b.Full}
	if g.maps != nil {
		o.FDN = g.network.Modulations(g.maps)
	}
	if g.behind != nil {
		tokens, release, err := r.Entries(ctx, g.behind, b.First+p.first, p.count)
		if err != nil {
			return err
		}
		defer release()
		for i := range g.network.CrossAttentions() {
			o.Taps.AddWords(i, tokens, nil)
		}
	}
	p.conditioning, err = g.network.NewConditioning(ctx, r.Device, o)
	if err != nil {
		return err
	}
	g.held.Add(p.conditioning.Release)
	return nil
}

// embed computes the map's embedding or, for a local adapter, what its FDNs make of the maps.
func (g *Guide) embed(ctx context.Context, r *guides.Run) ([]*gpu.Tensor, error) {
	n := g.network
	height, width := r.Height*n.factor(), r.Width*n.factor()
	if len(g.pixels) != height*width*n.Channels() {
		return nil, fmt.Errorf("the ControlNet reads a map of %d × %d pixels with %d channels for this picture, and it was given %d numbers: its conditioning_embedding_out_channels do not fit this model",
			width, height, n.Channels(), len(g.pixels))
	}
	in := r.Device.NewTensor("map", gpu.Act, 1, height, width, n.Channels())
	defer in.Release()
	in.SetFloat32(g.pixels)
	return nn.OnceAll(ctx, r.Device, "map", func(p *gpu.Program) (list []*gpu.Tensor) {
		if n.Features != nil {
			list = n.RecordModulations(p, in)
		} else {
			list = []*gpu.Tensor{n.RecordHint(p, in)}
		}
		r.Memory.Room(p.TransientBytes(), n)
		return list
	})
}

// makeFactors makes λ's tables for the convolutions that add their residual themselves.
func (g *Guide) makeFactors(r *guides.Run) {
	if g.network.GlobalPool() {
		return
	}
	rows := g.lambda.Table(r.Steps)
	channels := g.network.SkipChannels()
	channels = append(channels, channels[len(channels)-1])
	for i, c := range channels {
		t := r.Device.NewTensor("lambda", gpu.F32, r.Steps, c)
		var values []float32
		for _, row := range rows {
			values = append(values, slices.Repeat(row[i:i+1], c)...)
		}
		t.SetFloat32(values)
		g.factors = append(g.factors, t)
		g.held.Add(t.Release)
	}
}

// Record implements guides.Guide.
func (g *Guide) Record(p *gpu.Program, x *gpu.Tensor, b *guides.Branch, t *unet.StepTaps) {
	pr := g.prepared[b]
	if pr == nil {
		return
	}
	// The entries of the batch have the same latents.
	x = x.First(1)
	p.When(g.active, func() { g.record(p, x, pr, b, t) })
}

// record records the network, and adds its residuals to the taps. Outside its steps nothing of it is
// computed, and the taps hand on what they get.
func (g *Guide) record(p *gpu.Program, x *gpu.Tensor, pr *prepared, b *guides.Branch, t *unet.StepTaps) {
	if in := g.network.config.Encoder.InChannels; in < x.Channels() {
		x = gpu.FirstChannels(p, x, in) // without the mask and the picture of an inpainting model
	}
	tapSkip := func(i int, tap unet.Tap) {
		tap = tap.When(g.active)
		if i < len(g.network.SkipConvs) {
			t.TapSkip(i, tap)
		} else {
			t.TapMid(tap)
		}
	}
	for i, h := range g.network.RecordStates(p, x, g.hint, pr.conditioning) {
		conv, label := g.network.conv(i)
		if !g.network.GlobalPool() && pr.count == b.Count {
			tapSkip(i, func(p *gpu.Program, skip *gpu.Tensor) *gpu.Tensor {
				return conv.Forward(p, h, gpu.Conv2dOptions{Label: label, Lambda: g.factors[i], Residual: skip})
			})
			continue
		}
		full := b.Full
		if i == 0 {
			full = nil // the first skip is read in all steps
		}
		p.When(full, func() {
			if g.network.GlobalPool() {
				// The average of a convolution's results is the convolution of the average.
				h = gpu.AveragePool(p, h, h.Shape[1], h.Shape[2], label+".pool")
			}
			residual := unet.Residual{X: conv.Forward(p, h, gpu.Conv2dOptions{Label: label}), Lambda: g.table, LambdaAt: i, First: pr.first}
			tapSkip(i, residual.Tap(label+".tap"))
		})
	}
}
