package ipadapter

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/clip"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
)

// Guide is the pictures of one adapter in one run of the pipeline.
type Guide struct {
	adapter *Adapter
	vision  *clip.VisionEncoder
	pixels  [][]float32
	lambda  guides.Lambda

	prepared []*gpu.Tensor
}

// NewGuide returns an image prompt of one or several pictures, each [S, S, 3] and
// normalised for the image encoder. lambda's layers are the UNet's cross-attentions.
//
// A simple adapter has no softmax of its own that λ could weigh: its tokens share the
// words' softmax. So λ leaves them out (0) or reads them (1), layer by layer, in all steps
// and in the whole picture; NewGuide refuses everything else.
//
// An image encoder that gives vectors of another length than the adapter reads is an error.
func NewGuide(a *Adapter, vision *clip.VisionEncoder, pixels [][]float32, lambda guides.Lambda) (*Guide, error) {
	if err := a.checkEncoder(vision.Config); err != nil {
		return nil, err
	}
	if a.Simple() {
		if err := checkSimple(lambda); err != nil {
			return nil, err
		}
	}
	return &Guide{adapter: a, vision: vision, pixels: pixels, lambda: lambda}, nil
}

func checkSimple(l guides.Lambda) error {
	for _, v := range l.Layers {
		if v != 0 && v != 1 {
			return fmt.Errorf("a simple adapter has no image weight between 0 and 1, and %g was asked for: give 1, or 0 to leave the picture out", v)
		}
	}
	if l.Mask != nil {
		return fmt.Errorf("a simple adapter works on the whole picture: leave the image prompt's mask out, or take a global or Plus adapter")
	}
	if l.Start != 0 || l.End != 1 {
		return fmt.Errorf("a simple adapter works in all steps, and %g to %g of them was asked for: give 0 to 1, or take a global or Plus adapter", l.Start, l.End)
	}
	return nil
}

// Networks implements guides.Guide: the keys and values are computed before the steps.
func (g *Guide) Networks() []nn.Network { return nil }

// Record implements guides.Guide: nothing changes over the steps.
func (g *Guide) Record(*gpu.Program, *gpu.Tensor, *guides.Branch, *unet.StepTaps) {}

// Release implements guides.Guide.
func (g *Guide) Release() {
	for _, t := range g.prepared {
		t.Release()
	}
	g.prepared = nil
}

// Prepare encodes the pictures and hands their tokens, or the keys and values made of
// them, to the taps. Without a mask all pictures share one softmax. With one, each has a
// softmax of its own, as in diffusers.
func (g *Guide) Prepare(ctx context.Context, r *guides.Run) error {
	groups := [][][]float32{g.pixels}
	if g.lambda.Mask != nil {
		groups = nil
		for _, p := range g.pixels {
			groups = append(groups, [][]float32{p})
		}
	}
	for _, pixels := range groups {
		tokens, err := r.Encodings.Get(g.key(r, pixels), func() (*gpu.Tensor, error) { return g.encode(ctx, r, pixels) })
		if err != nil {
			return err
		}
		// The adapter may have been unloaded since the tokens were made.
		if err := r.Memory.Need(ctx, g.adapter); err != nil {
			return err
		}
		tokens = tokens.Reshape(r.Batch, tokens.Shape[1]/r.Batch, tokens.Shape[2])
		for _, b := range r.Branches {
			if err := g.tap(ctx, r, b, tokens); err != nil {
				return err
			}
		}
	}
	return nil
}

// Key implements guides.Repeatable.
func (g *Guide) Key(r *guides.Run) string {
	masks := fnv.New128a()
	for h, w := r.Height, r.Width; g.lambda.Mask != nil; h, w = (h+1)/2, (w+1)/2 { // all sizes that the UNet has
		for _, v := range g.lambda.Mask(h, w) {
			masks.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)))
		}
		if h == 1 && w == 1 {
			break
		}
	}
	return fmt.Sprint(g.key(r, g.pixels), r.Memory.Version(g.adapter), len(g.pixels), g.lambda.Layers, g.lambda.Start, g.lambda.End, g.lambda.Mask != nil, masks.Sum(nil))
}

// tap hands the tokens of the whole batch to a branch's taps.
func (g *Guide) tap(ctx context.Context, r *guides.Run, b *guides.Branch, tokens *gpu.Tensor) (err error) {
	if b.Count < r.Batch {
		tokens, err = nn.Once(ctx, r.Device, "image tokens", func(p *gpu.Program) *gpu.Tensor { return b.Of(p, tokens) })
		if err != nil {
			return err
		}
		g.prepared = append(g.prepared, tokens)
	}
	if g.adapter.Simple() {
		for i, v := range g.lambda.Layers {
			if v != 0 {
				b.Taps.AddWords(i, tokens)
			}
		}
		return nil
	}
	kv, err := g.adapter.KV(ctx, r.Device, tokens)
	if err != nil {
		return err
	}
	g.prepared = append(g.prepared, kv...)
	b.Taps.AddDecoupled(unet.Decoupled{KV: kv, Lambda: g.lambda.Table(r.Steps), Mask: g.lambda.Mask})
	return nil
}

// encode makes the tokens of pictures that share one softmax, Act [1, B·T, D]. With
// guidance those of no picture come first.
func (g *Guide) encode(ctx context.Context, r *guides.Run, pixels [][]float32) (*gpu.Tensor, error) {
	d, n, size := r.Device, len(pixels), g.vision.Config.ImageSize
	in := d.NewTensor("pixel_values", gpu.Act, n, size, size, 3)
	defer in.Release()
	var values []float32
	for _, p := range pixels {
		values = append(values, p...)
	}
	in.SetFloat32(values)
	with, err := g.vision.Encode(ctx, d, r.Memory, in, g.output())
	if err != nil {
		return nil, err
	}
	defer with.Release()
	without, err := g.nothing(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := r.Memory.Need(ctx, g.adapter); err != nil {
		return nil, err
	}
	return nn.Once(ctx, d, "image tokens", func(p *gpu.Program) *gpu.Tensor {
		t := g.adapter.NumTokens()
		tokens := g.adapter.RecordTokens(p, with).Reshape(1, n*t, g.adapter.dim)
		if r.Batch == 1 {
			return gpu.SliceTokens(p, tokens, 0, n*t)
		}
		none := g.adapter.RecordTokens(p, without)
		var parts []*gpu.Tensor
		for range n {
			parts = append(parts, none)
		}
		return gpu.ConcatTokens(p, append(parts, tokens)...)
	})
}

// output is what the adapter reads of the image encoder's.
func (g *Guide) output() clip.Output {
	if g.adapter.Plus != nil {
		return clip.Penultimate
	}
	return clip.ImageEmbeds
}

// nothing is what stands for no picture in the unconditional branch (encode_image of
// diffusers' pipelines): an image embedding of zeros or, for Plus, the hidden states of a
// picture of zeros. Without guidance it is nil.
func (g *Guide) nothing(ctx context.Context, r *guides.Run) (*gpu.Tensor, error) {
	if r.Batch == 1 {
		return nil, nil
	}
	d := r.Device
	return r.Encodings.Get(fmt.Sprintf("no picture %p %d", g.vision, g.output()), func() (*gpu.Tensor, error) {
		if g.adapter.Plus == nil {
			return d.NewTensor("zero image_embeds", gpu.Act, 1, 1, g.vision.Config.ProjectionDim), nil
		}
		size := g.vision.Config.ImageSize
		zero := d.NewTensor("zero pixel_values", gpu.Act, 1, size, size, 3)
		defer zero.Release()
		return g.vision.Encode(ctx, d, r.Memory, zero, clip.Penultimate)
	})
}

// key names pictures, the networks that read them, and whether there is guidance.
func (g *Guide) key(r *guides.Run, pixels [][]float32) string {
	h := fnv.New128a()
	var b []byte
	for _, p := range pixels {
		b = b[:0]
		for _, v := range p {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		h.Write(b)
	}
	return fmt.Sprintf("pictures %p %p %d %x", g.vision, g.adapter, r.Batch, h.Sum(nil))
}
