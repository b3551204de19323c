package vae

import (
	"fmt"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/blocks"
	"github.com/imprompt/imprompt/model/nn"
)

// klDecoder is AutoencoderKL's decoder.
type klDecoder struct {
	PostQuantConv *nn.Conv2d   `weight:"post_quant_conv"` // nil where the configuration has none
	Body          *decoderBody `weight:"decoder"`
}

type decoderBody struct {
	ConvIn      *nn.Conv2d        `weight:"conv_in"`
	MidBlock    *midBlock         `weight:"mid_block"`
	UpBlocks    []*upDecoderBlock `weight:"up_blocks"`
	ConvNormOut *nn.GroupNorm     `weight:"conv_norm_out"`
	ConvOut     *nn.Conv2d        `weight:"conv_out"`
}

// upDecoderBlock is diffusers' UpDecoderBlock2D.
type upDecoderBlock struct {
	Resnets    []*blocks.ResnetBlock2D `weight:"resnets"`
	Upsamplers []*blocks.Upsample2D    `weight:"upsamplers"`
}

func newDecoder(c Config) *klDecoder {
	chans := c.BlockOutChannels
	last := chans[len(chans)-1]
	body := &decoderBody{ConvIn: nn.NewConv2d(c.LatentChannels, last, 3, true), MidBlock: newMidBlock(c, "decoder.mid_block"),
		ConvNormOut: nn.NewGroupNorm(c.NormNumGroups, chans[0], eps), ConvOut: nn.NewConv2d(chans[0], c.OutChannels, 3, true)}
	in := last
	for i := range chans {
		out := chans[len(chans)-1-i]
		b := &upDecoderBlock{}
		for j := range c.LayersPerBlock + 1 {
			b.Resnets = append(b.Resnets, newResnet(c, fmt.Sprintf("decoder.up_blocks.%d.resnets.%d", i, j), in, out))
			in = out
		}
		if i < len(chans)-1 {
			b.Upsamplers = []*blocks.Upsample2D{blocks.NewUpsample2D(out)}
		}
		body.UpBlocks = append(body.UpBlocks, b)
	}
	d := &klDecoder{Body: body}
	if c.PostQuantConv {
		d.PostQuantConv = nn.NewConv2d(c.LatentChannels, c.LatentChannels, 1, true)
	}
	return d
}

// Name implements nn.Network.
func (d *klDecoder) Name() string { return "VAE decoder" }

// Ignores says which keys of the VAE's file belong to the encoder.
func (d *klDecoder) Ignores(key string) bool { return hasPrefix(key, "encoder", "quant_conv") }

// Record implements Decoder.
func (d *klDecoder) Record(p *gpu.Program, latents *gpu.Tensor) *gpu.Tensor {
	b := d.Body
	h := latents
	if d.PostQuantConv != nil {
		h = d.PostQuantConv.Forward(p, h, gpu.Conv2dOptions{Label: "post_quant_conv"})
	}
	h = b.ConvIn.Forward(p, h, gpu.Conv2dOptions{Label: "decoder.conv_in", Padding: 1})
	h = b.MidBlock.forward(p, h)
	for i, block := range b.UpBlocks {
		for _, r := range block.Resnets {
			h = r.Forward(p, h, nil, nil)
		}
		for _, s := range block.Upsamplers {
			h = s.Forward(p, h, fmt.Sprintf("decoder.up_blocks.%d.upsamplers.0.conv", i), 2*h.Shape[1], 2*h.Shape[2])
		}
	}
	h = b.ConvNormOut.Forward(p, h, nil, "decoder.conv_norm_out", true)
	return b.ConvOut.Forward(p, h, gpu.Conv2dOptions{Label: "decoder.conv_out", Padding: 1, Output: gpu.F32})
}
