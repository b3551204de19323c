package ipadapter

import (
	"fmt"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// imageProjection is diffusers' ImageProjection: it projects the image embedding to tokens.
type imageProjection struct {
	Proj *nn.Linear    `weight:"proj"`
	Norm *nn.LayerNorm `weight:"norm"`

	in, tokens, dim int
}

func newImageProjection(in, tokens, dim int) *imageProjection {
	return &imageProjection{Proj: nn.NewLinear(in, tokens*dim, true), Norm: nn.NewLayerNorm(dim, 1e-5), in: in, tokens: tokens, dim: dim}
}

func (i *imageProjection) record(p *gpu.Program, x *gpu.Tensor) *gpu.Tensor {
	h := i.Proj.Forward(p, x, gpu.LinearOptions{Label: "image_proj.proj"})
	return i.Norm.Forward(p, h.Reshape(x.Shape[0], i.tokens, i.dim), "image_proj.norm")
}

// fullProjection is diffusers' IPAdapterFullImageProjection, of the full-face adapter: every hidden
// state becomes a token.
type fullProjection struct {
	In   *nn.Linear    `weight:"proj.0"`
	Out  *nn.Linear    `weight:"proj.2"`
	Norm *nn.LayerNorm `weight:"proj.3"`

	in int
}

func newFullProjection(in, hidden, dim int) *fullProjection {
	return &fullProjection{In: nn.NewLinear(in, hidden, true), Out: nn.NewLinear(hidden, dim, true), Norm: nn.NewLayerNorm(dim, 1e-5), in: in}
}

func (f *fullProjection) record(p *gpu.Program, x *gpu.Tensor) *gpu.Tensor {
	h := f.In.Forward(p, x, gpu.LinearOptions{Label: "image_proj.proj.0", Activation: gpu.GELU})
	h = f.Out.Forward(p, h, gpu.LinearOptions{Label: "image_proj.proj.2"})
	return f.Norm.Forward(p, h, "image_proj.proj.3")
}

// resampler is the Plus adapters' projection: learned queries that attend, several
// times, to the hidden states and to themselves
// (diffusers' IPAdapterPlusImageProjection; after Flamingo's perceiver resampler).
type resampler struct {
	Latents *nn.Parameter     `weight:"latents"`
	ProjIn  *nn.Linear        `weight:"proj_in"`
	ProjOut *nn.Linear        `weight:"proj_out"`
	NormOut *nn.LayerNorm     `weight:"norm_out"`
	Layers  []*resamplerLayer `weight:"layers"`

	in, tokens int
}

type resamplerLayer struct {
	Attn *resamplerAttention `weight:"0"`
	FF   *resamplerFF        `weight:"1"`
}

type resamplerAttention struct {
	Norm1 *nn.LayerNorm `weight:"norm1"` // of the hidden states
	Norm2 *nn.LayerNorm `weight:"norm2"` // of the latents
	ToQ   *nn.Linear    `weight:"to_q"`
	ToKV  *nn.Linear    `weight:"to_kv"` // the keys' rows, then the values'
	ToOut *nn.Linear    `weight:"to_out"`
	heads int
}

type resamplerFF struct {
	Norm *nn.LayerNorm `weight:"0"`
	In   *nn.Linear    `weight:"1"`
	Out  *nn.Linear    `weight:"3"`
}

// headSize of the resampler: diffusers takes 64 for every file (loaders/unet.py).
const resamplerHeadSize = 64

func newResampler(shape func(string) []int, latents []int, dim int) (*resampler, error) {
	hidden := latents[2]
	in := shape("image_proj.proj_in.weight")
	if len(in) != 2 {
		return nil, fmt.Errorf("the adapter has image_proj.latents but no image_proj.proj_in.weight")
	}
	r := &resampler{Latents: nn.NewParameter(latents[1], hidden), in: in[1], tokens: latents[1],
		ProjIn: nn.NewLinear(in[1], hidden, true), ProjOut: nn.NewLinear(hidden, dim, true), NormOut: nn.NewLayerNorm(dim, 1e-5)}
	for i := 0; ; i++ {
		q := shape(fmt.Sprintf("image_proj.layers.%d.0.to_q.weight", i))
		ff := shape(fmt.Sprintf("image_proj.layers.%d.1.1.weight", i))
		if len(q) != 2 || len(ff) != 2 {
			break
		}
		inner := q[0]
		if inner%resamplerHeadSize != 0 {
			return nil, fmt.Errorf("the adapter's resampler has %d channels, which are no heads of %d", inner, resamplerHeadSize)
		}
		r.Layers = append(r.Layers, &resamplerLayer{
			Attn: &resamplerAttention{Norm1: nn.NewLayerNorm(hidden, 1e-5), Norm2: nn.NewLayerNorm(hidden, 1e-5),
				ToQ: nn.NewLinear(hidden, inner, false), ToKV: nn.NewLinear(hidden, 2*inner, false), ToOut: nn.NewLinear(inner, hidden, false),
				heads: inner / resamplerHeadSize},
			FF: &resamplerFF{Norm: nn.NewLayerNorm(hidden, 1e-5), In: nn.NewLinear(hidden, ff[0], false), Out: nn.NewLinear(ff[0], hidden, false)},
		})
	}
	return r, nil
}

func (r *resampler) record(p *gpu.Program, x *gpu.Tensor) *gpu.Tensor {
	x = r.ProjIn.Forward(p, x, gpu.LinearOptions{Label: "image_proj.proj_in"})
	batch := x.Shape[0]
	h := r.Latents.Forward()
	if batch > 1 {
		// The learned queries of every image: as tokens behind each other, then as a batch.
		copies := make([]*gpu.Tensor, batch)
		for i := range copies {
			copies[i] = h
		}
		h = gpu.ConcatTokens(p, copies...).Reshape(batch, r.tokens, h.Channels())
	}
	for i, l := range r.Layers {
		name := fmt.Sprintf("image_proj.layers.%d", i)
		a := l.Attn
		states := a.Norm1.Forward(p, x, name+".0.norm1")
		latents := a.Norm2.Forward(p, h, name+".0.norm2")
		q := a.ToQ.Forward(p, latents, gpu.LinearOptions{Label: name + ".0.to_q"})
		kv := a.ToKV.Forward(p, gpu.ConcatTokens(p, states, latents), gpu.LinearOptions{Label: name + ".0.to_kv"})
		y := gpu.Attention(p, q, kv, gpu.AttentionOptions{Label: name + ".0", Heads: a.heads, HeadSize: resamplerHeadSize, VAt: a.heads * resamplerHeadSize})
		h = a.ToOut.Forward(p, y, gpu.LinearOptions{Label: name + ".0.to_out", Residual: h})
		y = l.FF.Norm.Forward(p, h, name+".1.0")
		y = l.FF.In.Forward(p, y, gpu.LinearOptions{Label: name + ".1.1", Activation: gpu.GELU})
		h = l.FF.Out.Forward(p, y, gpu.LinearOptions{Label: name + ".1.3", Residual: h})
	}
	h = r.ProjOut.Forward(p, h, gpu.LinearOptions{Label: "image_proj.proj_out"})
	return r.NormOut.Forward(p, h, "image_proj.norm_out")
}
