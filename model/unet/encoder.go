package unet

import (
	"fmt"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/blocks"
	"github.com/imprompt/imprompt/model/nn"
)

// Encoder is the first half of the UNet: the way down and the middle. A ControlNet is an
// encoder, too. Its fields carry the checkpoint's names.
type Encoder struct {
	Config Config

	ConvIn        *nn.Conv2d     `weight:"conv_in"`
	TimeEmbedding *timeEmbedding `weight:"time_embedding"`
	DownBlocks    []*downBlock   `weight:"down_blocks"`
	MidBlock      *midBlock      `weight:"mid_block"`

	resnets []*blocks.ResnetBlock2D  // all of the network's
	blocks  []*basicTransformerBlock // all of the network's, in the order in which the published adapters number them: down, up, mid
}

// downBlock is diffusers' CrossAttnDownBlock2D, or its DownBlock2D where it has no attentions.
type downBlock struct {
	Resnets      []*blocks.ResnetBlock2D `weight:"resnets"`
	Attentions   []*transformer2D        `weight:"attentions"`
	Downsamplers []*blocks.Downsample2D  `weight:"downsamplers"`
}

// midBlock is diffusers' UNetMidBlock2DCrossAttn, or its UNetMidBlock2D.
type midBlock struct {
	Resnets    []*blocks.ResnetBlock2D `weight:"resnets"`
	Attentions []*transformer2D        `weight:"attentions"`
}

// NewEncoder lays the network out.
func NewEncoder(c Config) *Encoder {
	e := newEncoder(c)
	e.number(nil)
	return e
}

func newEncoder(c Config) *Encoder {
	e := &Encoder{Config: c}
	chans := c.BlockOutChannels
	n := len(chans)
	e.ConvIn = nn.NewConv2d(c.InChannels, chans[0], 3, true)
	e.TimeEmbedding = newTimeEmbedding(c)

	in := chans[0]
	for i, kind := range c.DownBlockTypes {
		where := fmt.Sprintf("down_blocks.%d", i)
		b := &downBlock{}
		for j := range c.LayersPerBlock[i] {
			b.Resnets = append(b.Resnets, e.resnet(where, j, in, chans[i], 1))
			if kind == "CrossAttnDownBlock2D" {
				b.Attentions = append(b.Attentions, e.transformer(where, j, chans[i], c.Heads[i], c.TransformerLayers[i]))
			}
			in = chans[i]
		}
		if i < n-1 {
			b.Downsamplers = []*blocks.Downsample2D{blocks.NewDownsample2D(in)}
		}
		e.DownBlocks = append(e.DownBlocks, b)
	}

	last := chans[n-1]
	if c.MidBlockType != "" {
		const where = "mid_block"
		e.MidBlock = &midBlock{Resnets: []*blocks.ResnetBlock2D{e.resnet(where, 0, last, last, c.MidBlockScaleFactor)}}
		// diffusers makes a UNetMidBlock2D without attention here (get_mid_block).
		if c.MidBlockType == "UNetMidBlock2DCrossAttn" {
			e.MidBlock.Attentions = []*transformer2D{e.transformer(where, 0, last, c.Heads[n-1], c.TransformerLayers[n-1])}
			e.MidBlock.Resnets = append(e.MidBlock.Resnets, e.resnet(where, 1, last, last, c.MidBlockScaleFactor))
		}
	}
	return e
}

func (e *Encoder) resnet(where string, i, in, out int, scale float64) *blocks.ResnetBlock2D {
	c := e.Config
	r := blocks.NewResnetBlock2D(fmt.Sprintf("%s.resnets.%d", where, i), in, out, c.TimeEmbeddingDim, c.NormNumGroups, c.NormEps, scale)
	e.resnets = append(e.resnets, r)
	return r
}

func (e *Encoder) transformer(where string, i, ch, heads, depth int) *transformer2D {
	return newTransformer2D(fmt.Sprintf("%s.attentions.%d", where, i), ch, heads, depth, e.Config.CrossAttentionDim, e.Config.NormNumGroups)
}

// number lists the transformer blocks, and tells each its place among them. diffusers
// registers up_blocks before mid_block, and the published adapters are numbered by that
// order (unet.attn_processors).
func (e *Encoder) number(up []*upBlock) {
	add := func(list []*transformer2D) {
		for _, t := range list {
			for _, b := range t.Blocks {
				b.index = len(e.blocks)
				e.blocks = append(e.blocks, b)
			}
		}
	}
	for _, b := range e.DownBlocks {
		add(b.Attentions)
	}
	for _, b := range up {
		add(b.Attentions)
	}
	if e.MidBlock != nil {
		add(e.MidBlock.Attentions)
	}
}

// CrossAttentions lists all cross-attentions (attn2 of every transformer block), in the
// order that the published adapters number: down, up, mid. Taps are numbered alike.
func (e *Encoder) CrossAttentions() []*CrossAttention {
	list := make([]*CrossAttention, len(e.blocks))
	for i, b := range e.blocks {
		list[i] = b.Attn2
	}
	return list
}

// SkipChannels lists the channels of what the way down leaves to the way up, in its order:
// of conv_in's result, and of every resnet's (with its attention) and downsampler's.
func (e *Encoder) SkipChannels() []int {
	list := []int{e.Config.BlockOutChannels[0]}
	for i, b := range e.DownBlocks {
		for range len(b.Resnets) + len(b.Downsamplers) {
			list = append(list, e.Config.BlockOutChannels[i])
		}
	}
	return list
}

// Record appends the network to p.
//
//	x: Act [B, H, W, in_channels], the noisy latents, scaled as the scheduler asks, or [1, …] as in UNet.Record
//	hint: Act, of x's entries, [H, W, C], which is added to conv_in's result, or nil
//	c: what the steps share
//	returns: Act, the skips in the order of SkipChannels, and the mid block's result. With DeepCache, only the
//	   first skip is there in all steps
func (e *Encoder) Record(p *gpu.Program, x, hint *gpu.Tensor, c *Conditioning) (skips []*gpu.Tensor, mid *gpu.Tensor) {
	t := &StepTaps{}
	in := e.ConvIn.Forward(p, x, gpu.Conv2dOptions{Label: "conv_in", Padding: 1, Residual: hint})
	first := gpu.Repeat(p, in, c.batch)
	p.When(c.cache.steps(), func() {
		var h *gpu.Tensor
		h, skips = e.down(p, in, c, t)
		for i := range skips[1:] {
			skips[1+i] = gpu.Repeat(p, skips[1+i], c.batch)
		}
		mid = gpu.Repeat(p, e.mid(p, h, c, t), c.batch)
	})
	skips[0] = first
	return skips, mid
}

// down records the down blocks. h is conv_in's result, of one entry or of the whole batch.
// The results before the first cross-attention have as many entries as h.
func (e *Encoder) down(p *gpu.Program, h *gpu.Tensor, c *Conditioning, t *StepTaps) (last *gpu.Tensor, skips []*gpu.Tensor) {
	skips = []*gpu.Tensor{h}
	for i, b := range e.DownBlocks {
		for j, r := range b.Resnets {
			h = r.Forward(p, h, nil, c.time[r], c.fdn[r]...)
			if b.Attentions != nil {
				h = b.Attentions[j].forward(p, h, c, t)
			}
			h = t.adapt(p, h, adaptsDown(i, len(e.DownBlocks)), r.Name)
			if b.Attentions != nil && j == len(b.Resnets)-1 {
				h = c.apply(p, h, t.blocks[i])
			}
			skips = append(skips, h)
		}
		for _, s := range b.Downsamplers {
			h = s.Forward(p, h, fmt.Sprintf("down_blocks.%d.downsamplers.0.conv", i), e.Config.DownsamplePadding)
			skips = append(skips, h)
		}
		if b.Attentions == nil {
			h = c.apply(p, h, t.blocks[i])
			skips[len(skips)-1] = h // diffusers adds in place, to the last skip, too
		}
	}
	return h, skips
}

// mid records the mid block, if there is one.
func (e *Encoder) mid(p *gpu.Program, h *gpu.Tensor, c *Conditioning, t *StepTaps) *gpu.Tensor {
	m := e.MidBlock
	if m == nil {
		return h
	}
	h = m.Resnets[0].Forward(p, h, nil, c.time[m.Resnets[0]])
	for i, a := range m.Attentions {
		h = a.forward(p, h, c, t)
		r := m.Resnets[i+1]
		h = r.Forward(p, h, nil, c.time[r])
	}
	return h
}

// halved is a size after a downsampler.
func (e *Encoder) halved(n int) int {
	if e.Config.DownsamplePadding == 0 {
		return (n+1-3)/2 + 1
	}
	return (n+2-3)/2 + 1
}
