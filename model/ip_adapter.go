package model

import (
	"context"
	"fmt"
	"strings"

	"github.com/imprompt/imprompt/gpu"
)

// IPAdapter is an image prompt adapter (Ye et al. 2023), in h94's published key
// names: a projection of the image encoder's output to tokens, and K' and V' of every
// cross-attention of the UNet.
//
// A simple adapter, the paper's ablation (4.4.1, as model/train/adapter.py writes it), has
// no K' and V': its tokens go behind the words', and the base's K and V read both.
type IPAdapter struct {
	Global *imageProjection    `weight:"image_proj"` // Linear and LayerNorm over the image embedding, or
	Plus   *resampler          `weight:"image_proj"` // a resampler over the encoder's penultimate hidden states
	Layers []*ipAttentionLayer `weight:"ip_adapter"` // the published numbers are odd: 1, 3, 5 …; nil for a simple adapter

	dim int // cross_attention_dim
}

type ipAttentionLayer struct {
	ToKV *Linear `weight:"to_k_ip,to_v_ip"`
}

// imageProjection is diffusers' ImageProjection: the embedding to Tokens tokens.
type imageProjection struct {
	Proj   *Linear    `weight:"proj"`
	Norm   *LayerNorm `weight:"norm"`
	tokens int
}

// resampler is the Plus adapters' projection: learned queries that attend, several
// times, to the hidden states and to themselves
// (diffusers' IPAdapterPlusImageProjection; after Flamingo's perceiver resampler).
type resampler struct {
	Latents *parameter        `weight:"latents"`
	ProjIn  *Linear           `weight:"proj_in"`
	ProjOut *Linear           `weight:"proj_out"`
	NormOut *LayerNorm        `weight:"norm_out"`
	Layers  []*resamplerLayer `weight:"layers"`
	tokens  int
}

type resamplerLayer struct {
	Attn *resamplerAttention `weight:"0"`
	FF   *resamplerFF        `weight:"1"`
}

type resamplerAttention struct {
	Norm1 *LayerNorm `weight:"norm1"` // of the hidden states
	Norm2 *LayerNorm `weight:"norm2"` // of the latents
	ToQ   *Linear    `weight:"to_q"`
	ToKV  *Linear    `weight:"to_kv"` // the keys' rows, then the values'
	ToOut *Linear    `weight:"to_out"`
	heads int
}

type resamplerFF struct {
	Norm *LayerNorm `weight:"0"`
	In   *Linear    `weight:"1"`
	Out  *Linear    `weight:"3"`
}

// headSize of the resampler: diffusers takes 64 for every file (loaders/unet.py).
const resamplerHeadSize = 64

// parameter is a tensor by itself, as activations.
type parameter struct {
	rows, channels int
	tensor         *gpu.Tensor
}

func (l *parameter) wants(prefix string) []want {
	return []want{{key: plain(prefix), shape: []int{1, l.rows, l.channels}}}
}

func (l *parameter) upload(ctx context.Context, d *gpu.Device, params []gpu.Parameter) error {
	values, err := params[0].Float32(ctx)
	if err != nil {
		return err
	}
	l.tensor = d.NewTensor(params[0].Name, gpu.Act, 1, l.rows, l.channels)
	l.tensor.SetFloat32(values)
	return nil
}

func (l *parameter) release() { l.tensor.Release(); l.tensor = nil }

// NewIPAdapter reads the adapter's form from its keys and lays it out for a UNet;
// Load fills it.
func NewIPAdapter(c Checkpoint, u *UNet) (*IPAdapter, error) {
	a := &IPAdapter{dim: u.Config.CrossAttentionDim}
	shape := func(key string) []int { _, s, _ := c.Info(key); return s }
	proj, norm, latents := shape("image_proj.proj.weight"), shape("image_proj.norm.weight"), shape("image_proj.latents")
	switch {
	case len(proj) == 2 && len(norm) == 1:
		if norm[0] != a.dim || proj[0]%a.dim != 0 {
			return nil, fmt.Errorf("the adapter's tokens have %d numbers and the UNet's cross-attention takes %d: the adapter belongs to another base model (SD 1.5 takes 768)", norm[0], a.dim)
		}
		a.Global = &imageProjection{Proj: newLinear(proj[1], proj[0], true), Norm: newLayerNorm(a.dim, 1e-5), tokens: proj[0] / a.dim}
	case len(latents) == 3:
		r, err := newResampler(shape, latents, a.dim)
		if err != nil {
			return nil, err
		}
		a.Plus = r
	case shape("image_proj.proj.3.weight") != nil:
		return nil, fmt.Errorf("this is a full-face adapter, which is not supported yet: global (ip-adapter_sd15) and Plus adapters are")
	default:
		return nil, fmt.Errorf("this is not an IP-Adapter of a supported form: it has neither image_proj.proj.weight nor image_proj.latents (global and Plus adapters have)")
	}
	if isSimple(c) {
		return a, nil
	}
	for _, x := range u.cross {
		a.Layers = append(a.Layers, nil, &ipAttentionLayer{ToKV: newFused(a.dim, false, x.channels, x.channels)})
	}
	return a, nil
}

func newResampler(shape func(string) []int, latents []int, dim int) (*resampler, error) {
	hidden := latents[2]
	in := shape("image_proj.proj_in.weight")
	if len(in) != 2 {
		return nil, fmt.Errorf("the adapter has image_proj.latents but no image_proj.proj_in.weight")
	}
	r := &resampler{Latents: &parameter{rows: latents[1], channels: hidden}, tokens: latents[1],
		ProjIn: newLinear(in[1], hidden, true), ProjOut: newLinear(hidden, dim, true), NormOut: newLayerNorm(dim, 1e-5)}
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
			Attn: &resamplerAttention{Norm1: newLayerNorm(hidden, 1e-5), Norm2: newLayerNorm(hidden, 1e-5),
				ToQ: newLinear(hidden, inner, false), ToKV: newLinear(hidden, 2*inner, false), ToOut: newLinear(inner, hidden, false),
				heads: inner / resamplerHeadSize},
			FF: &resamplerFF{Norm: newLayerNorm(hidden, 1e-5), In: newLinear(hidden, ff[0], false), Out: newLinear(ff[0], hidden, false)},
		})
	}
	return r, nil
}

// Load uploads the weights.
func (a *IPAdapter) Load(ctx context.Context, d *gpu.Device, c Checkpoint, progress func(done, total int64)) error {
	return load(ctx, d, a, c, progress)
}

func (a *IPAdapter) part() networkPart { return networkPart{"IP-Adapter", a, nothing} }

// Release frees the weights.
func (a *IPAdapter) Release() { unload(a) }

// NumTokens is how many tokens an image becomes.
func (a *IPAdapter) NumTokens() int {
	if a.Plus != nil {
		return a.Plus.tokens
	}
	return a.Global.tokens
}

// record appends the projection: from the encoder's output, Act [B, 1, E] for a
// global adapter or [B, T, E] for Plus, to Act [B, tokens, cross_attention_dim].
func (a *IPAdapter) record(p *gpu.Program, x *gpu.Tensor) *gpu.Tensor {
	if a.Plus != nil {
		return a.Plus.record(p, x)
	}
	h := a.Global.Proj.forward(p, x, gpu.LinearOptions{Label: "image_proj.proj"})
	h = h.Reshape(x.Shape[0], a.Global.tokens, a.dim)
	return a.Global.Norm.forward(p, h, "image_proj.norm")
}

func (r *resampler) record(p *gpu.Program, x *gpu.Tensor) *gpu.Tensor {
	x = r.ProjIn.forward(p, x, gpu.LinearOptions{Label: "image_proj.proj_in"})
	batch := x.Shape[0]
	h := r.Latents.tensor
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
		states := a.Norm1.forward(p, x, name+".0.norm1")
		latents := a.Norm2.forward(p, h, name+".0.norm2")
		q := a.ToQ.forward(p, latents, gpu.LinearOptions{Label: name + ".0.to_q"})
		kv := a.ToKV.forward(p, gpu.ConcatTokens(p, states, latents), gpu.LinearOptions{Label: name + ".0.to_kv"})
		y := gpu.Attention(p, q, kv, gpu.AttentionOptions{Label: name + ".0", Heads: a.heads, HeadSize: resamplerHeadSize, VAt: a.heads * resamplerHeadSize})
		h = a.ToOut.forward(p, y, gpu.LinearOptions{Label: name + ".0.to_out", Residual: h})
		y = l.FF.Norm.forward(p, h, name+".1.0")
		y = l.FF.In.forward(p, y, gpu.LinearOptions{Label: name + ".1.1", Activation: gpu.GELU})
		h = l.FF.Out.forward(p, y, gpu.LinearOptions{Label: name + ".1.3", Residual: h})
	}
	h = r.ProjOut.forward(p, h, gpu.LinearOptions{Label: "image_proj.proj_out"})
	return r.NormOut.forward(p, h, "image_proj.norm_out")
}

// LayerScales is λ of every cross-attention for what is taken from the picture:
// "all"; "style", every layer but those of down_blocks.2 and up_blocks.1;
// "composition", those of down_blocks.2 only, the first at a quarter. Those are SD
// 1.5's; for other depths, the deepest down block that has cross-attention, and the up
// block across from it, take their part.
func (u *UNet) LayerScales(scale float64, layers string) ([]float64, error) {
	deepest := -1
	for i, t := range u.Config.DownBlockTypes {
		if t == "CrossAttnDownBlock2D" {
			deepest = i
		}
	}
	down := fmt.Sprintf("down_blocks.%d.", deepest)
	up := fmt.Sprintf("up_blocks.%d.", len(u.Config.UpBlockTypes)-1-deepest)
	out := make([]float64, len(u.cross))
	first := true
	for i, a := range u.cross {
		inDown, inUp := strings.HasPrefix(a.name, down), strings.HasPrefix(a.name, up)
		switch layers {
		case "", "all":
			out[i] = scale
		case "style":
			if !inDown && !inUp {
				out[i] = scale
			}
		case "composition":
			if inDown {
				out[i] = scale
				if first {
					out[i] = scale / 4
				}
				first = false
			}
		default:
			return nil, fmt.Errorf("image prompt layers %q; there are all, style and composition", layers)
		}
	}
	return out, nil
}
