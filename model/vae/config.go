package vae

import (
	"slices"

	"github.com/imprompt/imprompt/model/nn"
)

// Config is what AutoencoderKL or AutoencoderTiny reads from vae/config.json.
type Config struct {
	// Tiny says that it is an AutoencoderTiny. Then EncoderBlocks and DecoderBlocks are how many
	// blocks each stage has, and EncoderChannels and DecoderChannels are the stages' channels. They are
	// empty for a half that the file does not have. Apart from them, only ScalingFactor and
	// BlockOutChannels are used, the latter by Factor.
	Tiny                             bool
	EncoderBlocks, DecoderBlocks     []int
	EncoderChannels, DecoderChannels []int

	InChannels, OutChannels, LatentChannels int
	BlockOutChannels                        []int
	LayersPerBlock                          int
	SampleSize                              int // the sides of the pictures that it was trained with, and of a tile
	NormNumGroups                           int
	ScalingFactor, ShiftFactor              float64
	MidBlockAttention                       bool
	QuantConv, PostQuantConv                bool
}

// Factor is the number of a picture's pixels per latent, in each direction.
func (v Config) Factor() int { return 1 << (len(v.BlockOutChannels) - 1) }

// ParseConfig reads vae/config.json.
func ParseConfig(data []byte) (Config, error) {
	c, err := nn.ParseConfig("vae/config.json", data)
	if err != nil {
		return Config{}, err
	}
	if string(c.Raw("_class_name")) == `"AutoencoderTiny"` {
		return parseTiny(c)
	}
	v := Config{
		InChannels:        nn.Get(c, "in_channels", 3),
		OutChannels:       nn.Get(c, "out_channels", 3),
		LatentChannels:    nn.Get(c, "latent_channels", 4),
		BlockOutChannels:  nn.Get(c, "block_out_channels", []int{64}),
		LayersPerBlock:    nn.Get(c, "layers_per_block", 1),
		NormNumGroups:     nn.Get(c, "norm_num_groups", 32),
		ScalingFactor:     nn.Get(c, "scaling_factor", 0.18215),
		ShiftFactor:       nn.Get(c, "shift_factor", 0.0),
		MidBlockAttention: nn.Get(c, "mid_block_add_attention", true),
		QuantConv:         nn.Get(c, "use_quant_conv", true),
		PostQuantConv:     nn.Get(c, "use_post_quant_conv", true),
		SampleSize:        slices.Min(nn.Each(c, "sample_size", 2, 32)),
	}
	for i, t := range nn.Get(c, "down_block_types", []string{"DownEncoderBlock2D"}) {
		if t != "DownEncoderBlock2D" {
			c.Fail("down_block_types[%d] is %q; supported: DownEncoderBlock2D", i, t)
		}
	}
	for i, t := range nn.Get(c, "up_block_types", []string{"UpDecoderBlock2D"}) {
		if t != "UpDecoderBlock2D" {
			c.Fail("up_block_types[%d] is %q; supported: UpDecoderBlock2D", i, t)
		}
	}
	for _, ch := range v.BlockOutChannels {
		if ch%4 != 0 || v.NormNumGroups < 1 || ch%v.NormNumGroups != 0 {
			c.Fail("block_out_channels has %d; multiples of 4 and of norm_num_groups (%d) are supported", ch, v.NormNumGroups)
		}
	}
	if len(v.BlockOutChannels) == 0 || v.InChannels != 3 || v.OutChannels != 3 || v.LatentChannels != 4 {
		c.Fail("in_channels %d, out_channels %d, latent_channels %d over %d blocks; supported: 3, 3, 4 over at least one",
			v.InChannels, v.OutChannels, v.LatentChannels, len(v.BlockOutChannels))
	}
	c.Only("act_fn", `"silu"`, `"swish"`)
	c.Only("latents_mean", "null")
	c.Only("latents_std", "null")
	c.Ignore("force_upcast")
	return v, c.Done()
}
