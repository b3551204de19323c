package vae

import (
	"fmt"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/blocks"
	"github.com/imprompt/imprompt/model/nn"
)

// klEncoder is AutoencoderKL's encoder. It turns a picture into the distribution of its latents.
type klEncoder struct {
	Body      *encoderBody `weight:"encoder"`
	QuantConv *nn.Conv2d   `weight:"quant_conv"` // nil where the configuration has none
}

type encoderBody struct {
	ConvIn      *nn.Conv2d          `weight:"conv_in"`
	DownBlocks  []*downEncoderBlock `weight:"down_blocks"`
	MidBlock    *midBlock           `weight:"mid_block"`
	ConvNormOut *nn.GroupNorm       `weight:"conv_norm_out"`
	ConvOut     *nn.Conv2d          `weight:"conv_out"`
}

// downEncoderBlock is diffusers' DownEncoderBlock2D.
type downEncoderBlock struct {
	Resnets      []*blocks.ResnetBlock2D `weight:"resnets"`
	Downsamplers []*blocks.Downsample2D  `weight:"downsamplers"`
}

func newEncoder(c Config) *klEncoder {
	chans := c.BlockOutChannels
	last := chans[len(chans)-1]
	body := &encoderBody{ConvIn: nn.NewConv2d(c.InChannels, chans[0], 3, true), MidBlock: newMidBlock(c, "encoder.mid_block"),
		ConvNormOut: nn.NewGroupNorm(c.NormNumGroups, last, eps), ConvOut: nn.NewConv2d(last, 2*c.LatentChannels, 3, true)}
	in := chans[0]
	for i, out := range chans {
		b := &downEncoderBlock{}
		for j := range c.LayersPerBlock {
			b.Resnets = append(b.Resnets, newResnet(c, fmt.Sprintf("encoder.down_blocks.%d.resnets.%d", i, j), in, out))
			in = out
		}
		if i < len(chans)-1 {
			b.Downsamplers = []*blocks.Downsample2D{blocks.NewDownsample2D(out)}
		}
		body.DownBlocks = append(body.DownBlocks, b)
	}
	e := &klEncoder{Body: body}
	if c.QuantConv {
		e.QuantConv = nn.NewConv2d(2*c.LatentChannels, 2*c.LatentChannels, 1, true)
	}
	return e
}

// Name implements nn.Network.
func (e *klEncoder) Name() string { return "VAE encoder" }

// Ignores says which keys of the VAE's file belong to the decoder.
func (e *klEncoder) Ignores(key string) bool { return hasPrefix(key, "decoder", "post_quant_conv") }

// Record implements Encoder.
func (e *klEncoder) Record(p *gpu.Program, pixels *gpu.Tensor) *gpu.Tensor {
	b := e.Body
	h := b.ConvIn.Forward(p, pixels, gpu.Conv2dOptions{Label: "encoder.conv_in", Padding: 1})
	for i, block := range b.DownBlocks {
		for _, r := range block.Resnets {
			h = r.Forward(p, h, nil, nil)
		}
		for _, s := range block.Downsamplers {
			h = s.Forward(p, h, fmt.Sprintf("encoder.down_blocks.%d.downsamplers.0.conv", i), 0)
		}
	}
	h = b.MidBlock.forward(p, h)
	h = b.ConvNormOut.Forward(p, h, nil, "encoder.conv_norm_out", true)
	o := gpu.Conv2dOptions{Label: "encoder.conv_out", Padding: 1}
	if e.QuantConv == nil {
		o.Output = gpu.F32
		return b.ConvOut.Forward(p, h, o)
	}
	h = b.ConvOut.Forward(p, h, o)
	return e.QuantConv.Forward(p, h, gpu.Conv2dOptions{Label: "quant_conv", Output: gpu.F32})
}
