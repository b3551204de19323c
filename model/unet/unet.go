package unet

import (
	"fmt"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/blocks"
	"github.com/imprompt/imprompt/model/nn"
)

// UNet is the network. Its fields carry the checkpoint's names.
type UNet struct {
	Config Config

	ConvIn        *nn.Conv2d     `weight:"conv_in"`
	TimeEmbedding *timeEmbedding `weight:"time_embedding"`
	DownBlocks    []*downBlock   `weight:"down_blocks"`
	MidBlock      *midBlock      `weight:"mid_block"`
	UpBlocks      []*upBlock     `weight:"up_blocks"`
	ConvNormOut   *nn.GroupNorm  `weight:"conv_norm_out"`
	ConvOut       *nn.Conv2d     `weight:"conv_out"`

	resnets []*blocks.ResnetBlock2D  // all of them
	blocks  []*basicTransformerBlock // all of them, in the order in which the published adapters number them: down, up, mid
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

// upBlock is diffusers' CrossAttnUpBlock2D, or its UpBlock2D where it has no attentions.
type upBlock struct {
	Resnets    []*blocks.ResnetBlock2D `weight:"resnets"`
	Attentions []*transformer2D        `weight:"attentions"`
	Upsamplers []*blocks.Upsample2D    `weight:"upsamplers"`
}

// New lays the network out.
func New(c Config) *UNet {
	u := &UNet{Config: c}
	chans := c.BlockOutChannels
	n := len(chans)
	temb := c.TimeEmbeddingDim
	resnet := func(where string, i, in, out int, scale float64) *blocks.ResnetBlock2D {
		r := blocks.NewResnetBlock2D(fmt.Sprintf("%s.resnets.%d", where, i), in, out, temb, c.NormNumGroups, c.NormEps, scale)
		u.resnets = append(u.resnets, r)
		return r
	}
	transformer := func(where string, i, ch, heads, depth int) *transformer2D {
		return newTransformer2D(fmt.Sprintf("%s.attentions.%d", where, i), ch, heads, depth, c.CrossAttentionDim, c.NormNumGroups)
	}

	u.ConvIn = nn.NewConv2d(c.InChannels, chans[0], 3, true)
	u.TimeEmbedding = newTimeEmbedding(c)

	in := chans[0]
	for i, kind := range c.DownBlockTypes {
		where := fmt.Sprintf("down_blocks.%d", i)
		b := &downBlock{}
		for j := range c.LayersPerBlock[i] {
			b.Resnets = append(b.Resnets, resnet(where, j, in, chans[i], 1))
			if kind == "CrossAttnDownBlock2D" {
				b.Attentions = append(b.Attentions, transformer(where, j, chans[i], c.Heads[i], c.TransformerLayers[i]))
			}
			in = chans[i]
		}
		if i < n-1 {
			b.Downsamplers = []*blocks.Downsample2D{blocks.NewDownsample2D(in)}
		}
		u.DownBlocks = append(u.DownBlocks, b)
	}

	last := chans[n-1]
	if c.MidBlockType != "" {
		const where = "mid_block"
		u.MidBlock = &midBlock{Resnets: []*blocks.ResnetBlock2D{resnet(where, 0, last, last, c.MidBlockScaleFactor)}}
		// diffusers makes a UNetMidBlock2D without attention here (get_mid_block).
		if c.MidBlockType == "UNetMidBlock2DCrossAttn" {
			u.MidBlock.Attentions = []*transformer2D{transformer(where, 0, last, c.Heads[n-1], c.TransformerLayers[n-1])}
			u.MidBlock.Resnets = append(u.MidBlock.Resnets, resnet(where, 1, last, last, c.MidBlockScaleFactor))
		}
	}

	previous := last
	for i, kind := range c.UpBlockTypes {
		where := fmt.Sprintf("up_blocks.%d", i)
		level := n - 1 - i
		out, skipIn := chans[level], chans[max(level-1, 0)]
		b := &upBlock{}
		layers := c.LayersPerBlock[level] + 1
		for j := range layers {
			skip := out
			if j == layers-1 {
				skip = skipIn
			}
			b.Resnets = append(b.Resnets, resnet(where, j, previous+skip, out, 1))
			if kind == "CrossAttnUpBlock2D" {
				b.Attentions = append(b.Attentions, transformer(where, j, out, c.Heads[level], c.TransformerLayers[level]))
			}
			previous = out
		}
		if i < n-1 {
			b.Upsamplers = []*blocks.Upsample2D{blocks.NewUpsample2D(out)}
		}
		u.UpBlocks = append(u.UpBlocks, b)
	}
	u.ConvNormOut = nn.NewGroupNorm(c.NormNumGroups, chans[0], c.NormEps)
	u.ConvOut = nn.NewConv2d(chans[0], c.OutChannels, 3, true)
	u.number()
	return u
}

// number lists the transformer blocks, and tells each its place among them. diffusers
// registers up_blocks before mid_block, and the published adapters are numbered by that
// order (unet.attn_processors).
func (u *UNet) number() {
	add := func(list []*transformer2D) {
		for _, t := range list {
			for _, b := range t.Blocks {
				b.index = len(u.blocks)
				u.blocks = append(u.blocks, b)
			}
		}
	}
	for _, b := range u.DownBlocks {
		add(b.Attentions)
	}
	for _, b := range u.UpBlocks {
		add(b.Attentions)
	}
	if u.MidBlock != nil {
		add(u.MidBlock.Attentions)
	}
}

// Name implements nn.Network.
func (u *UNet) Name() string { return "UNet" }

// CrossAttentions lists all cross-attentions (attn2 of every transformer block), in the
// order that the published adapters number: down, up, mid. Taps are numbered alike.
func (u *UNet) CrossAttentions() []*CrossAttention {
	list := make([]*CrossAttention, len(u.blocks))
	for i, b := range u.blocks {
		list[i] = b.Attn2
	}
	return list
}

// Record appends the network to p. The networks of guides are recorded before, into t.
//
//	x: Act [B, H, W, in_channels], the noisy latents, scaled as the scheduler asks
//	c: what the steps share
//	t: what guides add in this step, or nil
//	returns: F32 [B, H, W, out_channels], the prediction
func (u *UNet) Record(p *gpu.Program, x *gpu.Tensor, c *Conditioning, t *StepTaps) *gpu.Tensor {
	if t == nil {
		t = &StepTaps{}
	}
	h := u.ConvIn.Forward(p, x, gpu.Conv2dOptions{Label: "conv_in", Padding: 1})
	skips := []*gpu.Tensor{h}
	for i, b := range u.DownBlocks {
		for j, r := range b.Resnets {
			h = r.Forward(p, h, nil, c.time[r])
			if b.Attentions != nil {
				h = b.Attentions[j].forward(p, h, c, t)
				if j == len(b.Resnets)-1 {
					h = add(p, h, t.blocks[i], fmt.Sprintf("down_blocks.%d.tap", i))
				}
			}
			skips = append(skips, h)
		}
		for _, s := range b.Downsamplers {
			h = s.Forward(p, h, fmt.Sprintf("down_blocks.%d.downsamplers.0.conv", i), u.Config.DownsamplePadding)
			skips = append(skips, h)
		}
		if b.Attentions == nil {
			h = add(p, h, t.blocks[i], fmt.Sprintf("down_blocks.%d.tap", i))
			skips[len(skips)-1] = h // diffusers adds in place, to the last skip, too
		}
	}
	for i := range skips {
		skips[i] = add(p, skips[i], t.skips[i], fmt.Sprintf("skips.%d.tap", i))
	}
	if m := u.MidBlock; m != nil {
		h = m.Resnets[0].Forward(p, h, nil, c.time[m.Resnets[0]])
		for i, a := range m.Attentions {
			h = a.forward(p, h, c, t)
			r := m.Resnets[i+1]
			h = r.Forward(p, h, nil, c.time[r])
		}
	}
	h = add(p, h, t.mid, "mid_block.tap")
	for i, b := range u.UpBlocks {
		for j, r := range b.Resnets {
			skip := skips[len(skips)-1]
			skips = skips[:len(skips)-1]
			h = r.Forward(p, h, skip, c.time[r])
			if b.Attentions != nil {
				h = b.Attentions[j].forward(p, h, c, t)
			}
		}
		for _, s := range b.Upsamplers {
			// The next skip's size, which is not quite double where a size was odd
			// (diffusers' upsample_size).
			next := skips[len(skips)-1]
			h = s.Forward(p, h, fmt.Sprintf("up_blocks.%d.upsamplers.0.conv", i), next.Shape[1], next.Shape[2])
		}
	}
	h = u.ConvNormOut.Forward(p, h, nil, "conv_norm_out", true)
	return u.ConvOut.Forward(p, h, gpu.Conv2dOptions{Label: "conv_out", Padding: 1, Output: gpu.F32})
}

// halved is a size after a downsampler.
func (u *UNet) halved(n int) int {
	if u.Config.DownsamplePadding == 0 {
		return (n+1-3)/2 + 1
	}
	return (n+2-3)/2 + 1
}
