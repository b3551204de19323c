package ipadapter

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"slices"

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

	// Combine is what becomes of several pictures' encodings: "" or "concat" keeps them apart, and
	// "add", "subtract" (the first, less the average of the others), "average" and "norm-average" make
	// one of them. These are IPAdapter_plus's combine_embeds.
	Combine string
	// Negative is a picture that the negative prompt's branch sees, as pixels; nil is none.
	Negative []float32
	// Places are where the pictures work, if they do not work in the whole result. The pictures
	// of one place share one softmax.
	Places []Place

	kept *Embeds // in place of pixels
	held guides.Held
}

// Place is a part of the result, and the pictures that work there, by their indices.
type Place struct {
	Pictures []int
	Mask     func(h, w int) []float32 // as guides.Lambda.Mask, by which it is multiplied
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
	if err := a.checkLambda(lambda); err != nil {
		return nil, err
	}
	return &Guide{adapter: a, vision: vision, pixels: pixels, lambda: lambda}, nil
}

// NewGuideOf is NewGuide with embeddings that were kept, in place of pictures. No image encoder is
// needed.
func NewGuideOf(a *Adapter, kept *Embeds, lambda guides.Lambda) (*Guide, error) {
	if err := a.checkEmbeds(kept); err != nil {
		return nil, err
	}
	if err := a.checkLambda(lambda); err != nil {
		return nil, err
	}
	return &Guide{adapter: a, kept: kept, pixels: kept.pictures(kept.Values), lambda: lambda}, nil
}

// checkLambda refuses what a simple adapter cannot do. The others can do everything.
func (a *Adapter) checkLambda(l guides.Lambda) error {
	if !a.Simple() {
		return nil
	}
	for _, v := range l.Layers {
		if v != 0 && v != 1 {
			return fmt.Errorf("a simple adapter has no image weight between 0 and 1, and %g was asked for: give 1, or 0 to leave the picture out", v)
		}
	}
	if l.Mask != nil {
		return fmt.Errorf("a simple adapter works on the whole picture: leave the image prompt's mask out, or take a global or Plus adapter")
	}
	if l.Opposed != nil {
		return fmt.Errorf("a simple adapter cannot show its picture to the negative prompt alone. Choose other layers, or take a global or Plus adapter")
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
	g.held.Release()
}

// Prepare encodes the pictures and hands their tokens, or the keys and values made of
// them, to the taps. Without a mask all pictures share one softmax. With one, each has a
// softmax of its own, as in diffusers.
func (g *Guide) Prepare(ctx context.Context, r *guides.Run) error {
	for _, place := range g.places() {
		pixels := g.pixelsOf(place)
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
			if err := g.tap(ctx, r, b, tokens, place.Mask); err != nil {
				return err
			}
		}
	}
	return nil
}

// places are the groups of pictures that share one softmax, with their masks.
func (g *Guide) places() (list []Place) {
	for _, p := range g.Places {
		list = append(list, Place{p.Pictures, product(p.Mask, g.lambda.Mask)})
	}
	if list != nil {
		return list
	}
	all := Place{Mask: g.lambda.Mask}
	for i := range g.pixels {
		all.Pictures = append(all.Pictures, i)
		list = append(list, Place{[]int{i}, g.lambda.Mask})
	}
	if g.lambda.Mask != nil && !g.combines(len(g.pixels)) {
		return list
	}
	return []Place{all}
}

// product is the product of two masks, either of which may be nil.
func product(a, b func(h, w int) []float32) func(h, w int) []float32 {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return func(h, w int) []float32 {
		x, y := a(h, w), b(h, w)
		for i := range x {
			x[i] *= y[i]
		}
		return x
	}
}

// pixelsOf are the pixels of a place's pictures or, of kept ones, their embeddings.
func (g *Guide) pixelsOf(p Place) (pixels [][]float32) {
	for _, i := range p.Pictures {
		pixels = append(pixels, g.pixels[i])
	}
	return pixels
}

// Key implements guides.Repeatable.
func (g *Guide) Key(r *guides.Run) string {
	masks := fnv.New128a()
	places := g.places()
	for _, p := range places {
		fmt.Fprint(masks, p.Pictures)
		for h, w := r.Height, r.Width; p.Mask != nil; h, w = (h+1)/2, (w+1)/2 { // all sizes that the UNet has
			for _, v := range p.Mask(h, w) {
				masks.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)))
			}
			if h == 1 && w == 1 {
				break
			}
		}
	}
	return fmt.Sprint(g.key(r, g.pixels), r.Memory.Version(g.adapter), len(g.pixels), g.lambda.Layers, g.lambda.Opposed, g.lambda.Start, g.lambda.End, places[0].Mask != nil, masks.Sum(nil))
}

// tap hands the tokens of the whole batch to a branch's taps.
func (g *Guide) tap(ctx context.Context, r *guides.Run, b *guides.Branch, tokens *gpu.Tensor, mask func(h, w int) []float32) error {
	own, release, err := r.Entries(ctx, tokens, b.First, b.Count)
	if err != nil {
		return err
	}
	g.held.Add(release)
	if g.adapter.Simple() {
		for i, v := range g.lambda.Layers {
			if v != 0 {
				b.Taps.AddWords(i, own, nil)
			}
		}
		return nil
	}
	kv, err := g.kv(ctx, r, own)
	if err != nil {
		return err
	}
	if slices.Contains(g.lambda.Opposed, true) {
		opposed, err := g.opposed(ctx, r, b, tokens)
		if err != nil {
			return err
		}
		for i, yes := range g.lambda.Opposed {
			if yes {
				kv[i] = opposed[i]
			}
		}
	}
	b.Taps.AddDecoupled(unet.Decoupled{KV: kv, Lambda: g.lambda.Table(r.Steps), Mask: mask})
	return nil
}

// opposed are the keys and values in which the negative prompt's branch has the picture's tokens and
// the prompt's branch has tokens of zeros.
//
//	tokens: Act [B, T, D] of the whole batch
func (g *Guide) opposed(ctx context.Context, r *guides.Run, b *guides.Branch, tokens *gpu.Tensor) ([]*gpu.Tensor, error) {
	t := tokens.Shape[1]
	zeros := r.Device.NewTensor("no image tokens", gpu.Act, 1, t, tokens.Channels())
	defer zeros.Release()
	swapped, err := nn.Once(ctx, r.Device, "opposed image tokens", func(p *gpu.Program) *gpu.Tensor {
		if r.Batch == 1 {
			return gpu.SliceTokens(p, zeros, 0, t)
		}
		picture := gpu.SliceTokens(p, tokens.Reshape(1, 2*t, tokens.Channels()), t, t)
		return b.Of(p, gpu.ConcatTokens(p, picture, zeros).Reshape(2, t, tokens.Channels()))
	})
	if err != nil {
		return nil, err
	}
	defer swapped.Release()
	return g.kv(ctx, r, swapped)
}

// kv is Adapter.KV, in tensors that are released with the guide.
func (g *Guide) kv(ctx context.Context, r *guides.Run, tokens *gpu.Tensor) ([]*gpu.Tensor, error) {
	kv, err := g.adapter.KV(ctx, r.Device, tokens)
	for _, t := range kv {
		g.held.Add(t.Release)
	}
	return kv, err
}

// combines reports whether n pictures become one.
func (g *Guide) combines(n int) bool { return g.Combine != "" && g.Combine != "concat" && n > 1 }

// combined makes one encoding of several, [n, T, C], on the processor: they are few, and encoded
// once for many pictures.
func (g *Guide) combined(ctx context.Context, d *gpu.Device, x *gpu.Tensor) (*gpu.Tensor, error) {
	n := x.Shape[0]
	values, err := x.Float32(ctx)
	if err != nil {
		return nil, err
	}
	one, err := combine(g.Combine, values, n)
	if err != nil {
		return nil, err
	}
	y := d.NewTensor("combined pictures", gpu.Act, 1, x.Shape[1], x.Shape[2])
	y.SetFloat32(one)
	return y, nil
}

func combine(how string, values []float32, n int) ([]float32, error) {
	size := len(values) / n
	one := make([]float32, size)
	for i := range one {
		var sum, others, squares float64
		for k := range n {
			v := float64(values[k*size+i])
			sum += v
			squares += v * v
			if k > 0 {
				others += v
			}
		}
		first := float64(values[i])
		switch how {
		case "add":
			one[i] = float32(sum)
		case "subtract":
			one[i] = float32(first - others/float64(n-1))
		case "average":
			one[i] = float32(sum / float64(n))
		case "norm-average":
			// As in IPAdapter_plus, the norm is of each number over the pictures.
			if squares > 0 {
				one[i] = float32(sum / math.Sqrt(squares) / float64(n))
			}
		default:
			return nil, fmt.Errorf("pictures are combined by %q. Choose concat, add, subtract, average or norm-average", how)
		}
	}
	return one, nil
}

// encode makes the tokens of pictures that share one softmax, Act [1, B·T, D]. With
// guidance those of no picture come first.
func (g *Guide) encode(ctx context.Context, r *guides.Run, pixels [][]float32) (*gpu.Tensor, error) {
	d, n := r.Device, len(pixels)
	with, err := g.see(ctx, r, n, slices.Concat(pixels...))
	if err != nil {
		return nil, err
	}
	defer func() { with.Release() }()
	if g.combines(n) {
		one, err := g.combined(ctx, d, with)
		if err != nil {
			return nil, err
		}
		with.Release()
		with, n = one, 1
	}
	without, err := g.nothing(ctx, r, n)
	if err != nil {
		return nil, err
	}
	if err := r.Memory.Need(ctx, g.adapter); err != nil {
		return nil, err
	}
	return nn.Once(ctx, d, "image tokens", func(p *gpu.Program) *gpu.Tensor {
		t := g.adapter.NumTokens(with.Shape[1])
		tokens := g.adapter.RecordTokens(p, with).Reshape(1, n*t, g.adapter.dim)
		if r.Batch == 1 {
			return gpu.SliceTokens(p, tokens, 0, n*t)
		}
		none := g.adapter.RecordTokens(p, without)
		var parts []*gpu.Tensor
		for range n / without.Shape[0] {
			parts = append(parts, none.Reshape(1, without.Shape[0]*t, g.adapter.dim))
		}
		return gpu.ConcatTokens(p, append(parts, tokens)...)
	})
}

// see encodes n pictures. Kept ones are encoded already, and only go to the GPU.
//
//	pixels: [n, S, S, 3], normalised; nil stands for zeros. Of kept pictures: [n, Tokens, Size]
//	returns: what Adapter.RecordTokens reads, which the caller releases
func (g *Guide) see(ctx context.Context, r *guides.Run, n int, pixels []float32) (*gpu.Tensor, error) {
	if k := g.kept; k != nil {
		embeds := r.Device.NewTensor("kept embeddings", gpu.Act, n, k.Tokens, k.Size)
		embeds.SetFloat32(pixels)
		return embeds, nil
	}
	return g.vision.Encode(ctx, r.Device, r.Memory, n, pixels, g.output())
}

// output is what the adapter reads of the image encoder's.
func (g *Guide) output() clip.Output {
	if g.adapter.readsPatches() {
		return clip.Penultimate
	}
	return clip.ImageEmbeds
}

// nothing is what stands for no picture in the unconditional branch (encode_image of
// diffusers' pipelines): the negative picture, if there is one, or else an image embedding of
// zeros or, for Plus and full, the hidden states of a picture of zeros. It is one for all n
// pictures; those that were kept may also have one each. Without guidance it is nil.
func (g *Guide) nothing(ctx context.Context, r *guides.Run, n int) (*gpu.Tensor, error) {
	if r.Batch == 1 {
		return nil, nil
	}
	if g.kept != nil {
		return g.nothingKept(ctx, r, n)
	}
	if g.Negative != nil {
		return r.Encodings.Get(fmt.Sprintf("negative picture %p %d %s", g.vision, g.output(), guides.Fingerprint(g.Negative)), func() (*gpu.Tensor, error) {
			return g.see(ctx, r, 1, g.Negative)
		})
	}
	return r.Encodings.Get(fmt.Sprintf("no picture %p %d", g.vision, g.output()), func() (*gpu.Tensor, error) {
		if !g.adapter.readsPatches() {
			return r.Device.NewTensor("zero image_embeds", gpu.Act, 1, 1, g.vision.Config.ProjectionDim), nil
		}
		return g.see(ctx, r, 1, nil)
	})
}

// nothingKept is nothing beside embeddings that were kept.
func (g *Guide) nothingKept(ctx context.Context, r *guides.Run, n int) (*gpu.Tensor, error) {
	k := g.kept
	if k.Tokens > 1 && k.Negative == nil {
		return nil, errors.New("these embeddings have no negative ones, which this adapter needs for guidance: encode the pictures again, or set the guidance to 1")
	}
	// The size is in the key because all negative embeddings of zeros have the same fingerprint.
	key := fmt.Sprintf("kept negative embeddings %d %d %d %s", n, k.Tokens, k.Size, guides.Fingerprint(k.Negative))
	return r.Encodings.Get(key, func() (*gpu.Tensor, error) {
		first, differs := k.negative()
		if differs && n == k.Pictures {
			return g.see(ctx, r, n, k.Negative)
		}
		return g.see(ctx, r, 1, first)
	})
}

// key names pictures, the networks that read them, and whether there is guidance.
func (g *Guide) key(r *guides.Run, pixels [][]float32) string {
	negative := g.Negative
	if g.kept != nil {
		negative = g.kept.Negative
	}
	return fmt.Sprintf("pictures %p %p %d %s %s %s", g.vision, g.adapter, r.Batch, g.Combine, guides.Fingerprint(pixels...), guides.Fingerprint(negative))
}
