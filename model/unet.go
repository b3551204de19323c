package model

import (
	"context"
	"fmt"

	"github.com/imprompt/imprompt/gpu"
)

// UNet is diffusers' UNet2DConditionModel: the network that predicts the noise in a
// latent, given a time and, through its cross-attentions, words and image prompts.
// Source: diffusers/models/unets/unet_2d_condition.py.
type UNet struct {
	Config UNetConfig

	ConvIn        *Conv2d        `weight:"conv_in"`
	TimeEmbedding *timeEmbedding `weight:"time_embedding"`
	DownBlocks    []*downBlock   `weight:"down_blocks"`
	MidBlock      *midBlock      `weight:"mid_block"`
	UpBlocks      []*upBlock     `weight:"up_blocks"`
	ConvNormOut   *GroupNorm     `weight:"conv_norm_out"`
	ConvOut       *Conv2d        `weight:"conv_out"`

	resnets []*resnetBlock    // all, in the order they run
	cross   []*crossAttention // all, in the order that the published adapters number: down, up, mid
}

type timeEmbedding struct {
	Linear1  *Linear `weight:"linear_1"`
	CondProj *Linear `weight:"cond_proj"` // a distilled LCM's guidance embedding, or nil
	Linear2  *Linear `weight:"linear_2"`
}

type downBlock struct {
	Resnets      []*resnetBlock   `weight:"resnets"`
	Attentions   []*transformer2D `weight:"attentions"`
	Downsamplers []*sampler2D     `weight:"downsamplers"`
}

type midBlock struct {
	Resnets    []*resnetBlock   `weight:"resnets"`
	Attentions []*transformer2D `weight:"attentions"`
}

type upBlock struct {
	Resnets    []*resnetBlock   `weight:"resnets"`
	Attentions []*transformer2D `weight:"attentions"`
	Upsamplers []*sampler2D     `weight:"upsamplers"`
}

type sampler2D struct {
	Conv *Conv2d `weight:"conv"`
}

// NewUNet lays the network out; Load fills it.
func NewUNet(c UNetConfig) *UNet {
	u := &UNet{Config: c}
	chans := c.BlockOutChannels
	n := len(chans)
	temb := c.TimeEmbeddingDim
	resnet := func(in, out int, eps, scale float64) *resnetBlock {
		return newResnetBlock(in, out, temb, c.NormNumGroups, eps, scale)
	}
	transformer := func(ch, heads, depth int) *transformer2D {
		return newTransformer2D(ch, heads, depth, c.CrossAttentionDim, c.NormNumGroups)
	}

	u.ConvIn = newConv2d(c.InChannels, chans[0], 3)
	u.TimeEmbedding = &timeEmbedding{Linear1: newLinear(chans[0], temb, true), Linear2: newLinear(temb, temb, true)}
	if c.TimeCondProjDim > 0 {
		u.TimeEmbedding.CondProj = newLinear(c.TimeCondProjDim, chans[0], false)
	}

	in := chans[0]
	for i, kind := range c.DownBlockTypes {
		b := &downBlock{}
		for range c.LayersPerBlock[i] {
			b.Resnets = append(b.Resnets, resnet(in, chans[i], c.NormEps, 1))
			if kind == "CrossAttnDownBlock2D" {
				b.Attentions = append(b.Attentions, transformer(chans[i], c.Heads[i], c.TransformerLayers[i]))
			}
			in = chans[i]
		}
		if i < n-1 {
			b.Downsamplers = []*sampler2D{{Conv: newConv2d(in, in, 3)}}
		}
		u.DownBlocks = append(u.DownBlocks, b)
	}

	last := chans[n-1]
	if c.MidBlockType != "" {
		u.MidBlock = &midBlock{Resnets: []*resnetBlock{resnet(last, last, c.NormEps, c.MidBlockScaleFactor)}}
		// UNetMidBlock2D is made without attention in this place (get_mid_block).
		if c.MidBlockType == "UNetMidBlock2DCrossAttn" {
			u.MidBlock.Attentions = []*transformer2D{transformer(last, c.Heads[n-1], c.TransformerLayers[n-1])}
			u.MidBlock.Resnets = append(u.MidBlock.Resnets, resnet(last, last, c.NormEps, c.MidBlockScaleFactor))
		}
	}

	previous := last
	for i, kind := range c.UpBlockTypes {
		level := n - 1 - i
		out, skipIn := chans[level], chans[max(level-1, 0)]
		b := &upBlock{}
		layers := c.LayersPerBlock[level] + 1
		for j := range layers {
			skip := out
			if j == layers-1 {
				skip = skipIn
			}
			b.Resnets = append(b.Resnets, resnet(previous+skip, out, c.NormEps, 1))
			if kind == "CrossAttnUpBlock2D" {
				b.Attentions = append(b.Attentions, transformer(out, c.Heads[level], c.TransformerLayers[level]))
			}
			previous = out
		}
		if i < n-1 {
			b.Upsamplers = []*sampler2D{{Conv: newConv2d(out, out, 3)}}
		}
		u.UpBlocks = append(u.UpBlocks, b)
	}
	u.ConvNormOut = newGroupNorm(c.NormNumGroups, chans[0], c.NormEps)
	u.ConvOut = newConv2d(chans[0], c.OutChannels, 3)
	u.number()
	return u
}

// number lists the resnets and the cross-attentions and tells each where it stands.
func (u *UNet) number() {
	add := func(where string, resnets []*resnetBlock, attentions []*transformer2D) {
		for i, r := range resnets {
			r.name = fmt.Sprintf("%s.resnets.%d", where, i)
			u.resnets = append(u.resnets, r)
		}
		for i, t := range attentions {
			t.name = fmt.Sprintf("%s.attentions.%d", where, i)
			for j, b := range t.Blocks {
				b.name = fmt.Sprintf("%s.transformer_blocks.%d", t.name, j)
				b.Attn2.name = b.name + ".attn2"
				b.Attn2.index = len(u.cross)
				u.cross = append(u.cross, b.Attn2)
			}
		}
	}
	for i, b := range u.DownBlocks {
		add(fmt.Sprintf("down_blocks.%d", i), b.Resnets, b.Attentions)
	}
	// diffusers registers up_blocks before mid_block, and the published adapters are
	// numbered by that order (unet.attn_processors).
	for i, b := range u.UpBlocks {
		add(fmt.Sprintf("up_blocks.%d", i), b.Resnets, b.Attentions)
	}
	if u.MidBlock != nil {
		add("mid_block", u.MidBlock.Resnets, u.MidBlock.Attentions)
	}
}

// Load uploads the weights.
func (u *UNet) Load(ctx context.Context, d *gpu.Device, c Checkpoint, progress func(done, total int64)) error {
	return load(ctx, d, u, c, progress)
}

func (u *UNet) part() networkPart { return networkPart{"UNet", u, nothing} }

// Release frees the weights.
func (u *UNet) Release() { unload(u) }

// record appends the network to p.
//
//	x: Act [B, H, W, in_channels], the noisy latents, scaled as the scheduler asks
//	returns: F32 [B, H, W, out_channels], the prediction
func (u *UNet) record(p *gpu.Program, x *gpu.Tensor, c *conditioning) *gpu.Tensor {
	h := u.ConvIn.forward(p, x, gpu.Conv2dOptions{Label: "conv_in", Padding: 1})
	skips := []*gpu.Tensor{h}
	for i, b := range u.DownBlocks {
		for j, r := range b.Resnets {
			h = r.forward(p, h, nil, c)
			if b.Attentions != nil {
				h = b.Attentions[j].forward(p, h, c)
			}
			skips = append(skips, h)
		}
		for _, s := range b.Downsamplers {
			h = s.down(p, h, fmt.Sprintf("down_blocks.%d.downsamplers.0.conv", i), u.Config.DownsamplePadding)
			skips = append(skips, h)
		}
	}
	if m := u.MidBlock; m != nil {
		h = m.Resnets[0].forward(p, h, nil, c)
		for i, a := range m.Attentions {
			h = a.forward(p, h, c)
			h = m.Resnets[i+1].forward(p, h, nil, c)
		}
	}
	for i, b := range u.UpBlocks {
		for j, r := range b.Resnets {
			skip := skips[len(skips)-1]
			skips = skips[:len(skips)-1]
			h = r.forward(p, h, skip, c)
			if b.Attentions != nil {
				h = b.Attentions[j].forward(p, h, c)
			}
		}
		for _, s := range b.Upsamplers {
			// The size of the next skip, which for a picture of an odd size is not
			// quite double (diffusers' upsample_size).
			next := skips[len(skips)-1]
			h = s.up(p, h, fmt.Sprintf("up_blocks.%d.upsamplers.0.conv", i), next.Shape[1], next.Shape[2])
		}
	}
	h = u.ConvNormOut.forward(p, h, nil, "conv_norm_out", true)
	return u.ConvOut.forward(p, h, gpu.Conv2dOptions{Label: "conv_out", Padding: 1, Output: gpu.F32})
}

// down halves the size. With padding 0 a row and a column of zeros are added at the
// end only (diffusers' Downsample2D).
func (s *sampler2D) down(p *gpu.Program, x *gpu.Tensor, label string, padding int) *gpu.Tensor {
	o := gpu.Conv2dOptions{Label: label, Stride: 2, Padding: padding}
	if padding == 0 {
		o.PadEnd = 1
	}
	return s.Conv.forward(p, x, o)
}

// up doubles the size, nearest neighbour, then convolves.
func (s *sampler2D) up(p *gpu.Program, x *gpu.Tensor, label string, height, width int) *gpu.Tensor {
	return s.Conv.forward(p, x, gpu.Conv2dOptions{Label: label, Padding: 1, UpsampleTo: [2]int{height, width}})
}

// halved is the size after a downsampler.
func (u *UNet) halved(n int) int {
	if u.Config.DownsamplePadding == 0 {
		return (n+1-3)/2 + 1
	}
	return (n+2-3)/2 + 1
}
