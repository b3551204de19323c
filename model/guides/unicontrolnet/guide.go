package unicontrolnet

import (
	"context"
	"errors"
	"fmt"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/clip"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/guides/controlnet"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
)

// Options are how Uni-ControlNet works in one run. A file may have either adapter or both.
type Options struct {
	// Local is the local adapter with its maps, or nil. Its Options.Map has the channels of all seven maps,
	// three for each: canny, mlsd, hed, sketch, openpose, midas, seg. A map that is missing is zeros.
	Local *controlnet.Guide
	// Global is the global adapter, or nil.
	Global *GlobalAdapter
	Vision *clip.VisionEncoder // reads Pixels
	Pixels []float32           // the picture, [S, S, 3], normalised for the image encoder; nil for an embedding of zeros
	Lambda float64             // global_strength, which multiplies the tokens
}

// Guide is Uni-ControlNet in one run of the pipeline.
type Guide struct {
	Options
	held guides.Held
}

// NewGuide returns a guide for one run. An image encoder of another size than the adapter reads is an error.
func NewGuide(o Options) (*Guide, error) {
	switch {
	case o.Local == nil && o.Global == nil:
		return nil, errors.New("the file of Uni-ControlNet has neither a local nor a global adapter")
	case o.Global == nil && o.Pixels != nil:
		return nil, errors.New("this file of Uni-ControlNet has the local adapter alone, which reads no content image: leave the picture out, or choose one with the global adapter (uni.ckpt)")
	case o.Pixels != nil && o.Vision.Config.ProjectionDim != o.Global.dim:
		return nil, fmt.Errorf("Uni-ControlNet reads embeddings of %d numbers and this image encoder gives %d: choose CLIP ViT-L/14 (openai/clip-vit-large-patch14), which gives 768", o.Global.dim, o.Vision.Config.ProjectionDim)
	}
	return &Guide{Options: o}, nil
}

// Networks implements guides.Guide.
func (g *Guide) Networks() []nn.Network {
	if g.Local == nil {
		return nil
	}
	return g.Local.Networks()
}

// Release implements guides.Guide.
func (g *Guide) Release() {
	if g.Local != nil {
		g.Local.Release()
	}
	g.held.Release()
}

// Record implements guides.Guide.
func (g *Guide) Record(p *gpu.Program, x *gpu.Tensor, b *guides.Branch, t *unet.StepTaps) {
	if g.Local != nil {
		g.Local.Record(p, x, b, t)
	}
}

// Prepare implements guides.Guide. It makes the picture's tokens for the conditional branch, and those of an
// embedding of zeros for the unconditional one. Then it prepares the local adapter, which reads both.
func (g *Guide) Prepare(ctx context.Context, r *guides.Run) error {
	if g.Global != nil {
		tokens, err := g.tokens(ctx, r)
		if err != nil {
			return err
		}
		g.held.Add(tokens.Release)
		tokens = tokens.Reshape(r.Batch, GlobalTokens, g.Global.dim)
		release, err := r.AddBehindWords(ctx, tokens, nil)
		if err != nil {
			return err
		}
		g.held.Add(release)
		if g.Local != nil {
			g.Local.ReadBehindWords(tokens)
		}
	}
	if g.Local == nil {
		return nil
	}
	return g.Local.Prepare(ctx, r)
}

// tokens makes those of the whole batch, Act [1, r.Batch, 4·dim].
func (g *Guide) tokens(ctx context.Context, r *guides.Run) (*gpu.Tensor, error) {
	none := r.Device.NewTensor("zero image_embeds", gpu.Act, 1, r.Batch, g.Global.dim)
	defer none.Release()
	var seen *gpu.Tensor
	if g.Pixels != nil {
		var err error
		seen, err = r.Encodings.Get(fmt.Sprintf("embedding %p %s", g.Vision, guides.Fingerprint(g.Pixels)), func() (*gpu.Tensor, error) {
			return g.Vision.Encode(ctx, r.Device, r.Memory, 1, g.Pixels, clip.ImageEmbeds)
		})
		if err != nil {
			return nil, err
		}
	}
	if err := r.Memory.Need(ctx, g.Global); err != nil {
		return nil, err
	}
	return nn.Once(ctx, r.Device, g.Global.Name(), func(p *gpu.Program) *gpu.Tensor {
		x := none
		switch {
		case seen != nil && r.Batch == 1:
			x = seen
		case seen != nil:
			x = gpu.ConcatTokens(p, gpu.SliceTokens(p, none, 0, 1), seen)
		}
		return gpu.Cast(p, g.Global.Record(p, x), g.Lambda)
	})
}
