package unet

import (
	"fmt"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/blocks"
	"github.com/imprompt/imprompt/model/nn"
)

// UNet is the network. Its fields carry the checkpoint's names.
type UNet struct {
	Encoder

	UpBlocks    []*upBlock    `weight:"up_blocks"`
	ConvNormOut *nn.GroupNorm `weight:"conv_norm_out"`
	ConvOut     *nn.Conv2d    `weight:"conv_out"`
}

// upBlock is diffusers' CrossAttnUpBlock2D, or its UpBlock2D where it has no attentions.
type upBlock struct {
	Resnets    []*blocks.ResnetBlock2D `weight:"resnets"`
	Attentions []*transformer2D        `weight:"attentions"`
	Upsamplers []*blocks.Upsample2D    `weight:"upsamplers"`
}

// New lays the network out.
func New(c Config) *UNet {
	u := &UNet{Encoder: *newEncoder(c)}
	chans := c.BlockOutChannels
	n := len(chans)
	previous := chans[n-1]
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
			b.Resnets = append(b.Resnets, u.resnet(where, j, previous+skip, out, 1))
			if kind == "CrossAttnUpBlock2D" {
				b.Attentions = append(b.Attentions, u.transformer(where, j, out, c.Heads[level], c.TransformerLayers[level]))
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
	u.number(u.UpBlocks)
	return u
}

// Name implements nn.Network.
func (u *UNet) Name() string { return "UNet" }

// Record appends the network to p. The networks of guides are recorded before, into t.
//
//	x: Act [B, H, W, in_channels], the noisy latents, scaled as the scheduler asks; or [1, H, W, in_channels] for
//	   all entries of the batch, and everything before the first cross-attention is computed once
//	c: what the steps share
//	t: what guides add in this step, or nil
//	returns: F32 [B, H, W, out_channels], the prediction
func (u *UNet) Record(p *gpu.Program, x *gpu.Tensor, c *Conditioning, t *StepTaps) *gpu.Tensor {
	if t == nil {
		t = &StepTaps{}
	}
	if c.merging != nil && (len(t.read) > 0 || len(t.self) > 0) {
		p.Fail("unet: merged tokens and taps in self-attentions cannot be used together: set tome_ratio to 0")
	}
	if len(t.read) > 0 || len(t.self) > 0 {
		x = gpu.Repeat(p, x, c.batch) // what guides do in self-attentions may differ from entry to entry
	}
	if t.reference != nil {
		x = t.reference.batch(p, x, c)
	}
	in := u.ConvIn.Forward(p, x, gpu.Conv2dOptions{Label: "conv_in", Padding: 1})
	blocks := len(u.UpBlocks)
	layers := len(u.UpBlocks[blocks-1].Resnets)
	h := c.cache.record(p, func() *gpu.Tensor { return u.deep(p, in, c, t) })
	h = u.upLayer(p, blocks-1, layers-1, h, u.skip(p, 0, in, c, t), c, t)
	h = u.ConvNormOut.Forward(p, h.First(c.own), nil, "conv_norm_out", true)
	return u.ConvOut.Forward(p, h, gpu.Conv2dOptions{Label: "conv_out", Padding: 1, Output: gpu.F32})
}

// deep records everything between conv_in and the last layer of the last up block, which is what DeepCache
// keeps for several steps.
func (u *UNet) deep(p *gpu.Program, in *gpu.Tensor, c *Conditioning, t *StepTaps) *gpu.Tensor {
	h, skips := u.down(p, in, c, t)
	for i := 1; i < len(skips); i++ {
		skips[i] = u.skip(p, i, skips[i], c, t)
	}
	h = t.adapt(p, gpu.Repeat(p, u.mid(p, h, c, t), c.batch), u.MidBlock != nil, "mid_block")
	h = c.apply(p, h, t.mid)
	for i, b := range u.UpBlocks {
		for j := range b.Resnets {
			last := len(skips) - 1
			if last == 0 {
				return h
			}
			h = u.upLayer(p, i, j, h, skips[last], c, t)
			skips = skips[:last]
		}
		for _, s := range b.Upsamplers {
			// The next skip's size, which is not quite double where a size was odd
			// (diffusers' upsample_size).
			next := skips[len(skips)-1]
			h = s.Forward(p, h, fmt.Sprintf("up_blocks.%d.upsamplers.0.conv", i), next.Shape[1], next.Shape[2])
		}
	}
	return h
}

// skip is what an up block reads of the down path: result i of down, for the whole batch, with the taps on it.
func (u *UNet) skip(p *gpu.Program, i int, h *gpu.Tensor, c *Conditioning, t *StepTaps) *gpu.Tensor {
	return c.apply(p, gpu.Repeat(p, h, c.batch), t.skips[i])
}

// upLayer records resnet j of up block i, and the attention behind it.
func (u *UNet) upLayer(p *gpu.Program, i, j int, h, skip *gpu.Tensor, c *Conditioning, t *StepTaps) *gpu.Tensor {
	b := u.UpBlocks[i]
	r := b.Resnets[j]
	h = r.Forward(p, h, skip, c.time[r])
	if b.Attentions != nil {
		h = b.Attentions[j].forward(p, h, c, t)
	}
	return t.adapt(p, h, adaptsUp(i, len(u.UpBlocks)), r.Name)
}
