package t2iadapter

import (
	"context"
	"fmt"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/clip"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
)

// StyleOptions are how a style adapter works in one run.
type StyleOptions struct {
	Pixels     []float32 // the picture, [S, S, 3], normalised for the image encoder
	Lambda     float64   // multiplies the tokens (cond_weight of app_coadapter.py)
	Start, End float64   // fractions of the steps between which it works; End is style_cond_tau
}

// StyleGuide is a style adapter with its picture in one run of the pipeline. Its tokens stand behind the
// words of the prompt. The negative prompt's last tokens, as many, are repeated behind it, as in
// p_sample_ddim of ldm/models/diffusion/ddim.py, so that both are equally long.
type StyleGuide struct {
	adapter *StyleAdapter
	vision  *clip.VisionEncoder
	options StyleOptions
	held    guides.Held
}

// NewStyleGuide returns a guide for one run. An image encoder of another width than the adapter reads is an
// error.
func NewStyleGuide(a *StyleAdapter, vision *clip.VisionEncoder, o StyleOptions) (*StyleGuide, error) {
	if reads, gives := a.config.Width, vision.Config.HiddenSize; reads != gives {
		return nil, fmt.Errorf("the style adapter reads hidden states of %d numbers and this image encoder gives %d: choose CLIP ViT-L/14 (openai/clip-vit-large-patch14), which gives 1024", reads, gives)
	}
	return &StyleGuide{adapter: a, vision: vision, options: o}, nil
}

// Networks implements guides.Guide: the tokens are computed before the steps.
func (g *StyleGuide) Networks() []nn.Network { return nil }

// Record implements guides.Guide: nothing changes over the steps.
func (g *StyleGuide) Record(*gpu.Program, *gpu.Tensor, *guides.Branch, *unet.StepTaps) {}

// Release implements guides.Guide.
func (g *StyleGuide) Release() {
	g.held.Release()
}

// Prepare implements guides.Guide. It encodes the picture.
func (g *StyleGuide) Prepare(ctx context.Context, r *guides.Run) error {
	o := g.options
	if o.Lambda == 0 {
		return nil
	}
	style, err := r.Encodings.Get(fmt.Sprintf("style %p %p %s", g.vision, g.adapter, guides.Fingerprint(o.Pixels)), func() (*gpu.Tensor, error) { return g.encode(ctx, r) })
	if err != nil {
		return err
	}
	tokens, err := nn.Once(ctx, r.Device, "style tokens", func(p *gpu.Program) *gpu.Tensor { return g.batch(p, r, gpu.Cast(p, style, o.Lambda)) })
	if err != nil {
		return err
	}
	g.held.Add(tokens.Release)
	tokens = tokens.Reshape(r.Batch, g.adapter.config.Tokens, tokens.Channels())
	release, err := r.AddBehindWords(ctx, tokens, guides.Active(o.Start, o.End, r.Steps))
	if err != nil {
		return err
	}
	g.held.Add(release)
	return nil
}

// encode makes the picture's tokens, F32 [1, Tokens, Dim].
func (g *StyleGuide) encode(ctx context.Context, r *guides.Run) (*gpu.Tensor, error) {
	states, err := g.vision.Encode(ctx, r.Device, r.Memory, 1, g.options.Pixels, clip.LastHidden)
	if err != nil {
		return nil, err
	}
	defer states.Release()
	if err := r.Memory.Need(ctx, g.adapter); err != nil {
		return nil, err
	}
	return nn.Once(ctx, r.Device, g.adapter.Name(), func(p *gpu.Program) *gpu.Tensor { return g.adapter.Record(p, states) })
}

// batch is what stands behind the words of the whole batch, Act [1, r.Batch · Tokens, Dim].
func (g *StyleGuide) batch(p *gpu.Program, r *guides.Run, style *gpu.Tensor) *gpu.Tensor {
	if r.Batch == 1 {
		return style
	}
	n := g.adapter.config.Tokens
	last := gpu.SliceTokens(p, guides.Entry(p, r.Words, 0), r.Words.Shape[1]-n, n)
	return gpu.ConcatTokens(p, last, style)
}
