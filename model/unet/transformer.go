package unet

import (
	"fmt"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// transformer2D is diffusers' Transformer2DModel (models/transformers/transformer_2d.py)
// over a continuous input: a norm, a projection, blocks, a projection back, and the input
// added.
type transformer2D struct {
	Norm    *nn.GroupNorm            `weight:"norm"`
	ProjIn  *nn.Linear               `weight:"proj_in"` // a 1 × 1 convolution or a linear layer: the same product
	Blocks  []*basicTransformerBlock `weight:"transformer_blocks"`
	ProjOut *nn.Linear               `weight:"proj_out"`

	name string
}

// basicTransformerBlock is diffusers' BasicTransformerBlock (models/attention.py).
type basicTransformerBlock struct {
	Norm1 *nn.LayerNorm   `weight:"norm1"`
	Attn1 *selfAttention  `weight:"attn1"`
	Norm2 *nn.LayerNorm   `weight:"norm2"`
	Attn2 *CrossAttention `weight:"attn2"`
	Norm3 *nn.LayerNorm   `weight:"norm3"`
	FF    *feedForward    `weight:"ff"`

	name  string
	index int // among all of the UNet's blocks
}

// feedForward is diffusers' FeedForward with a GEGLU.
type feedForward struct {
	Proj *nn.Linear `weight:"net.0.proj"` // values and gates
	Out  *nn.Linear `weight:"net.2"`
}

func newTransformer2D(name string, ch, heads, depth, contextDim, groups int) *transformer2D {
	// Transformer2DModel's GroupNorm has an eps of its own, whatever norm_eps says.
	t := &transformer2D{Norm: nn.NewGroupNorm(groups, ch, 1e-6), ProjIn: nn.NewLinear(ch, ch, true), ProjOut: nn.NewLinear(ch, ch, true), name: name}
	for i := range depth {
		name := fmt.Sprintf("%s.transformer_blocks.%d", name, i)
		t.Blocks = append(t.Blocks, &basicTransformerBlock{
			Norm1: nn.NewLayerNorm(ch, 1e-5),
			Attn1: newSelfAttention(name+".attn1", ch, heads),
			Norm2: nn.NewLayerNorm(ch, 1e-5),
			Attn2: newCrossAttention(name+".attn2", ch, heads, contextDim),
			Norm3: nn.NewLayerNorm(ch, 1e-5),
			FF:    &feedForward{Proj: nn.NewGEGLU(ch, 4*ch), Out: nn.NewLinear(4*ch, ch, true)},
			name:  name,
		})
	}
	return t
}

// forward takes Act [B, H, W, C], or [1, H, W, C] where the words alone differ between the
// entries, and returns [B, H, W, C].
func (t *transformer2D) forward(p *gpu.Program, x *gpu.Tensor, c *Conditioning, taps *StepTaps) *gpu.Tensor {
	h := t.Norm.Forward(p, x, nil, t.name+".norm", false)
	h = t.ProjIn.Forward(p, h, gpu.LinearOptions{Label: t.name + ".proj_in"})
	for _, b := range t.Blocks {
		h = b.forward(p, h, c, taps)
	}
	return t.ProjOut.Forward(p, h, gpu.LinearOptions{Label: t.name + ".proj_out", Residual: gpu.Repeat(p, x, h.Shape[0])})
}

func (b *basicTransformerBlock) forward(p *gpu.Program, x *gpu.Tensor, c *Conditioning, taps *StepTaps) *gpu.Tensor {
	h := b.Norm1.Forward(p, x, b.name+".norm1")
	if m := c.merging.match(p, x, b.name+".tome"); m != nil {
		h = b.Attn1.merged(p, h, x, m)
	} else {
		h = b.Attn1.forward(p, h, x, taps, b.index)
	}
	h = gpu.Repeat(p, h, c.batch)
	y := b.Norm2.Forward(p, h, b.name+".norm2")
	h = b.Attn2.forward(p, y, h, c, b.index)
	y = b.Norm3.Forward(p, h, b.name+".norm3")
	y = b.FF.Proj.Forward(p, y, gpu.LinearOptions{Label: b.name + ".ff.net.0", Activation: gpu.GEGLU})
	return b.FF.Out.Forward(p, y, gpu.LinearOptions{Label: b.name + ".ff.net.2", Residual: h})
}

// selfAttention is a transformer block's attn1.
type selfAttention struct {
	ToQKV *nn.Linear `weight:"to_q,to_k,to_v"` // one product for the three
	ToOut *nn.Linear `weight:"to_out.0"`

	name  string
	heads int
}

func newSelfAttention(name string, ch, heads int) *selfAttention {
	return &selfAttention{ToQKV: nn.NewFused(ch, false, ch, ch, ch), ToOut: nn.NewLinear(ch, ch, true), name: name, heads: heads}
}

func (a *selfAttention) forward(p *gpu.Program, x, residual *gpu.Tensor, taps *StepTaps, block int) *gpu.Tensor {
	for _, read := range taps.read {
		read(block, x)
	}
	qkv := a.ToQKV.Forward(p, x, gpu.LinearOptions{Label: a.name + ".to_qkv"})
	var h *gpu.Tensor
	if r := taps.reference; r != nil && r.Attention {
		h = r.attend(p, a, qkv).Reshape(x.Shape...)
	} else {
		h = a.attend(p, qkv, taps.self[block])
	}
	return a.ToOut.Forward(p, h, gpu.LinearOptions{Label: a.name + ".to_out.0", Residual: residual})
}

// attend is the attention over the block's own states and those of the taps.
func (a *selfAttention) attend(p *gpu.Program, qkv *gpu.Tensor, more []*gpu.Tensor) *gpu.Tensor {
	if more == nil {
		return nn.Attention(p, qkv, a.heads, a.name)
	}
	c := qkv.Channels() / 3
	batch := qkv.Shape[0]
	tokens := func(x *gpu.Tensor) *gpu.Tensor { return x.Reshape(batch, x.Rows()/batch, x.Channels()) }
	parts := []*gpu.Tensor{tokens(qkv)}
	for _, x := range more {
		// The queries among the three are not used; it is one product all the same.
		parts = append(parts, a.ToQKV.Forward(p, tokens(x), gpu.LinearOptions{Label: a.name + ".to_qkv.tap"}))
	}
	kv := gpu.ConcatTokens(p, parts...)
	return gpu.Attention(p, qkv, kv, gpu.AttentionOptions{Label: a.name, Heads: a.heads, HeadSize: c / a.heads, KAt: c, VAt: 2 * c})
}

// CrossAttention is a transformer block's attn2. The queries are the latents'. The keys
// and values are those of the words and of what guides add, which are the same in every
// step: they are in the Conditioning.
type CrossAttention struct {
	ToQ   *nn.Linear `weight:"to_q"`
	ToKV  *nn.Linear `weight:"to_k,to_v"`
	ToOut *nn.Linear `weight:"to_out.0"`

	Name     string // in the checkpoint
	Channels int    // of the queries, the keys and the values
	Heads    int
}

func newCrossAttention(name string, ch, heads, contextDim int) *CrossAttention {
	return &CrossAttention{ToQ: nn.NewLinear(ch, ch, false), ToKV: nn.NewFused(contextDim, false, ch, ch), ToOut: nn.NewLinear(ch, ch, true),
		Name: name, Channels: ch, Heads: heads}
}

func (a *CrossAttention) forward(p *gpu.Program, x, residual *gpu.Tensor, c *Conditioning, index int) *gpu.Tensor {
	q := a.ToQ.Forward(p, x, gpu.LinearOptions{Label: a.Name + ".to_q"})
	o := gpu.AttentionOptions{Label: a.Name, Heads: a.Heads, HeadSize: a.Channels / a.Heads, VAt: a.Channels}
	if c.decoupled != nil {
		o.Image = c.decoupled.at(index, x.Shape[1], x.Shape[2])
	}
	h := p.NewTensor(a.Name, gpu.Act, q.Shape...)
	for _, words := range c.words[index] {
		p.When(words.active, func() { gpu.AttentionInto(p, q, words.kv, h, o) })
	}
	return a.ToOut.Forward(p, h, gpu.LinearOptions{Label: a.Name + ".to_out.0", Residual: residual})
}
