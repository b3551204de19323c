package model

import "github.com/imprompt/imprompt/gpu"

// transformer2D is diffusers' Transformer2DModel (models/transformers/transformer_2d.py)
// over a continuous input: a norm, a projection, blocks, a projection back, and the
// input added.
type transformer2D struct {
	Norm    *GroupNorm          `weight:"norm"`
	ProjIn  *Linear             `weight:"proj_in"` // a convolution of 1 × 1 or a linear layer: the same product
	Blocks  []*transformerBlock `weight:"transformer_blocks"`
	ProjOut *Linear             `weight:"proj_out"`

	name string
}

// transformerBlock is diffusers' BasicTransformerBlock (models/attention.py).
type transformerBlock struct {
	Norm1 *LayerNorm      `weight:"norm1"`
	Attn1 *selfAttention  `weight:"attn1"`
	Norm2 *LayerNorm      `weight:"norm2"`
	Attn2 *crossAttention `weight:"attn2"`
	Norm3 *LayerNorm      `weight:"norm3"`
	FF    *feedForward    `weight:"ff"`

	name string
}

type selfAttention struct {
	ToQKV *Linear `weight:"to_q,to_k,to_v"` // one product for the three
	ToOut *Linear `weight:"to_out.0"`
	heads int
}

type feedForward struct {
	Proj *Linear `weight:"net.0.proj"` // GEGLU: values and gates
	Out  *Linear `weight:"net.2"`
}

func newTransformer2D(ch, heads, depth, contextDim, groups int) *transformer2D {
	// Transformer2DModel's GroupNorm has an eps of its own, whatever norm_eps says.
	t := &transformer2D{Norm: newGroupNorm(groups, ch, 1e-6), ProjIn: newLinear(ch, ch, true), ProjOut: newLinear(ch, ch, true)}
	for range depth {
		t.Blocks = append(t.Blocks, &transformerBlock{
			Norm1: newLayerNorm(ch, 1e-5),
			Attn1: &selfAttention{ToQKV: newFused(ch, false, ch, ch, ch), ToOut: newLinear(ch, ch, true), heads: heads},
			Norm2: newLayerNorm(ch, 1e-5),
			Attn2: newCrossAttention(ch, heads, contextDim),
			Norm3: newLayerNorm(ch, 1e-5),
			FF:    &feedForward{Proj: newGEGLU(ch, 4*ch), Out: newLinear(4*ch, ch, true)},
		})
	}
	return t
}

// forward takes and returns Act [B, H, W, C].
func (t *transformer2D) forward(p *gpu.Program, x *gpu.Tensor, c *conditioning) *gpu.Tensor {
	h := t.Norm.forward(p, x, nil, t.name+".norm", false)
	h = t.ProjIn.forward(p, h, gpu.LinearOptions{Label: t.name + ".proj_in"})
	for _, b := range t.Blocks {
		h = b.forward(p, h, c)
	}
	return t.ProjOut.forward(p, h, gpu.LinearOptions{Label: t.name + ".proj_out", Residual: x})
}

func (b *transformerBlock) forward(p *gpu.Program, x *gpu.Tensor, c *conditioning) *gpu.Tensor {
	h := b.Norm1.forward(p, x, b.name+".norm1")
	h = b.Attn1.forward(p, h, x, b.name+".attn1")
	y := b.Norm2.forward(p, h, b.name+".norm2")
	h = b.Attn2.forward(p, y, h, c)
	y = b.Norm3.forward(p, h, b.name+".norm3")
	y = b.FF.Proj.forward(p, y, gpu.LinearOptions{Label: b.name + ".ff.net.0", Activation: gpu.GEGLU})
	return b.FF.Out.forward(p, y, gpu.LinearOptions{Label: b.name + ".ff.net.2", Residual: h})
}

func (a *selfAttention) forward(p *gpu.Program, x, residual *gpu.Tensor, label string) *gpu.Tensor {
	qkv := a.ToQKV.forward(p, x, gpu.LinearOptions{Label: label + ".to_qkv"})
	h := attention(p, qkv, a.heads, label)
	return a.ToOut.forward(p, h, gpu.LinearOptions{Label: label + ".to_out.0", Residual: residual})
}
