package vae

import (
	"fmt"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// tinyLimit is what a tiny decoder's input is limited to, by tanh (DecoderTiny.forward).
const tinyLimit = 3

// maxTinyBlocks is the most stages of a half, and the most blocks of a stage. The published ones have
// four stages of up to three blocks.
const maxTinyBlocks = 16

// parseTiny reads the config.json of an AutoencoderTiny. Each stage but the first halves the size, in
// the encoder, or doubles it, in the decoder.
func parseTiny(c *nn.Config) (Config, error) {
	channels, encoder, decoder := []int{64, 64, 64, 64}, []int{1, 3, 3, 3}, []int{3, 3, 3, 1}
	v := Config{
		Tiny:            true,
		EncoderChannels: nn.Get(c, "encoder_block_out_channels", channels), EncoderBlocks: nn.Get(c, "num_encoder_blocks", encoder),
		DecoderChannels: nn.Get(c, "decoder_block_out_channels", channels), DecoderBlocks: nn.Get(c, "num_decoder_blocks", decoder),
		ScalingFactor: nn.Get(c, "scaling_factor", 1.0),
	}
	v.BlockOutChannels = v.DecoderChannels
	if len(v.DecoderBlocks) == 0 {
		v.BlockOutChannels = v.EncoderChannels
	}
	stages := len(v.BlockOutChannels)
	checkTinyHalf(c, "encoder", v.EncoderChannels, v.EncoderBlocks, stages)
	checkTinyHalf(c, "decoder", v.DecoderChannels, v.DecoderBlocks, stages)
	if stages == 0 {
		c.Fail("it has neither an encoder nor a decoder")
	}
	c.Only("in_channels", "3")
	c.Only("out_channels", "3")
	c.Only("latent_channels", "4")
	c.Only("act_fn", `"relu"`)
	c.Only("upsample_fn", `"nearest"`)
	c.Only("upsampling_scaling_factor", "2")
	c.Ignore("block_out_channels", "force_upcast", "latent_magnitude", "latent_shift", "shift_factor")
	return v, c.Done()
}

// checkTinyHalf refuses an encoder or a decoder that cannot be laid out. stages is how many stages the model has.
func checkTinyHalf(c *nn.Config, name string, channels, blocks []int, stages int) {
	if len(blocks) > maxTinyBlocks || len(channels) != len(blocks) || len(blocks) > 0 && len(blocks) != stages {
		c.Fail("%s_block_out_channels has %d stages and num_%s_blocks %d; the same number in both, and in both halves, is supported: up to %d", name, len(channels), name, len(blocks), maxTinyBlocks)
	}
	for _, n := range channels {
		if n < 4 || n%4 != 0 || n != channels[0] {
			c.Fail("%s_block_out_channels is %v; the same multiple of 4 for each stage is supported", name, channels)
			break
		}
	}
	for _, n := range blocks {
		if n < 0 || n > maxTinyBlocks {
			c.Fail("num_%s_blocks is %v; 0 to %d for each stage are supported", name, blocks, maxTinyBlocks)
			break
		}
	}
}

// tinyLayers are the layers of a half by the numbers that torch gives them in a Sequential. What
// has no weights, an activation or an upsampling, is nil. The others are *nn.Conv2d and *tinyBlock.
type tinyLayers []any

// tinyBlock is diffusers' AutoencoderTinyBlock (unets/unet_2d_blocks.py).
type tinyBlock struct {
	Conv []*nn.Conv2d `weight:"conv"` // numbers 0, 2 and 4, with activations between them
}

func newTinyBlock(channels int) *tinyBlock {
	conv := func() *nn.Conv2d { return nn.NewConv2d(channels, channels, 3, true) }
	return &tinyBlock{[]*nn.Conv2d{0: conv(), 2: conv(), 4: conv()}}
}

func (b *tinyBlock) forward(p *gpu.Program, x *gpu.Tensor, name string) *gpu.Tensor {
	h := b.Conv[0].Forward(p, x, gpu.Conv2dOptions{Label: name + ".conv.0", Padding: 1, Activation: gpu.ReLU})
	h = b.Conv[2].Forward(p, h, gpu.Conv2dOptions{Label: name + ".conv.2", Padding: 1, Activation: gpu.ReLU})
	return b.Conv[4].Forward(p, h, gpu.Conv2dOptions{Label: name + ".conv.4", Padding: 1, Residual: x, Rectify: true})
}

// forward records the layers. options changes the options of the convolution with the number i, whose
// input is h. It is not called for the last one, which gives F32.
func (l tinyLayers) forward(p *gpu.Program, h *gpu.Tensor, name string, options func(i int, h *gpu.Tensor, o *gpu.Conv2dOptions)) *gpu.Tensor {
	for i, layer := range l {
		label := fmt.Sprintf("%s.layers.%d", name, i)
		switch layer := layer.(type) {
		case *tinyBlock:
			h = layer.forward(p, h, label)
		case *nn.Conv2d:
			o := gpu.Conv2dOptions{Label: label, Padding: 1}
			if i == len(l)-1 {
				o.Output = gpu.F32
			} else {
				options(i, h, &o)
			}
			h = layer.Forward(p, h, o)
		}
	}
	return h
}

// tinyEncoder is diffusers' EncoderTiny.
type tinyEncoder struct {
	Layers tinyLayers `weight:"encoder.layers"`
}

func newTinyEncoder(c Config) *tinyEncoder {
	in := 3
	e := &tinyEncoder{}
	for i, blocks := range c.EncoderBlocks {
		out := c.EncoderChannels[i]
		e.Layers = append(e.Layers, nn.NewConv2d(in, out, 3, i == 0))
		for range blocks {
			e.Layers = append(e.Layers, newTinyBlock(out))
		}
		in = out
	}
	e.Layers = append(e.Layers, nn.NewConv2d(in, 4, 3, true))
	return e
}

// Name implements nn.Network.
func (e *tinyEncoder) Name() string { return "VAE encoder" }

// Ignores implements nn.Ignorer.
func (e *tinyEncoder) Ignores(key string) bool { return hasPrefix(key, "decoder") }

// Record implements Encoder.
func (e *tinyEncoder) Record(p *gpu.Program, pixels *gpu.Tensor) *gpu.Tensor {
	return e.Layers.forward(p, pixels, "encoder", func(i int, _ *gpu.Tensor, o *gpu.Conv2dOptions) {
		if i > 0 {
			o.Stride = 2
		}
	})
}

// tinyDecoder is diffusers' DecoderTiny without the limit on its input, which VAE.DecoderInput sets.
type tinyDecoder struct {
	Layers tinyLayers `weight:"decoder.layers"`
}

func newTinyDecoder(c Config) *tinyDecoder {
	d := &tinyDecoder{Layers: tinyLayers{nn.NewConv2d(4, c.DecoderChannels[0], 3, true), nil}}
	for i, blocks := range c.DecoderBlocks {
		channels := c.DecoderChannels[i]
		for range blocks {
			d.Layers = append(d.Layers, newTinyBlock(channels))
		}
		if i < len(c.DecoderBlocks)-1 {
			d.Layers = append(d.Layers, nil, nn.NewConv2d(channels, channels, 3, false))
		} else {
			d.Layers = append(d.Layers, nn.NewConv2d(channels, 3, 3, true))
		}
	}
	return d
}

// Name implements nn.Network.
func (d *tinyDecoder) Name() string { return "VAE decoder" }

// Ignores implements nn.Ignorer.
func (d *tinyDecoder) Ignores(key string) bool { return hasPrefix(key, "encoder") }

// Record implements Decoder.
func (d *tinyDecoder) Record(p *gpu.Program, latents *gpu.Tensor) *gpu.Tensor {
	return d.Layers.forward(p, latents, "decoder", func(i int, h *gpu.Tensor, o *gpu.Conv2dOptions) {
		if i == 0 {
			o.Activation = gpu.ReLU
		} else {
			o.UpsampleTo = [2]int{2 * h.Shape[1], 2 * h.Shape[2]}
		}
	})
}
