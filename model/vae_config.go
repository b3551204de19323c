package model

// VAEConfig is what AutoencoderKL reads from vae/config.json.
type VAEConfig struct {
	InChannels, OutChannels, LatentChannels int
	BlockOutChannels                        []int
	LayersPerBlock                          int
	NormNumGroups                           int
	ScalingFactor, ShiftFactor              float64
	MidBlockAttention                       bool
	QuantConv, PostQuantConv                bool
}

// Factor is the picture's pixels a latent, in each direction.
func (v VAEConfig) Factor() int { return 1 << (len(v.BlockOutChannels) - 1) }

// ParseVAEConfig reads vae/config.json.
func ParseVAEConfig(data []byte) (VAEConfig, error) {
	c, err := parseConfig("vae/config.json", data)
	if err != nil {
		return VAEConfig{}, err
	}
	v := VAEConfig{
		InChannels:        get(c, "in_channels", 3),
		OutChannels:       get(c, "out_channels", 3),
		LatentChannels:    get(c, "latent_channels", 4),
		BlockOutChannels:  get(c, "block_out_channels", []int{64}),
		LayersPerBlock:    get(c, "layers_per_block", 1),
		NormNumGroups:     get(c, "norm_num_groups", 32),
		ScalingFactor:     get(c, "scaling_factor", 0.18215),
		ShiftFactor:       get(c, "shift_factor", 0.0),
		MidBlockAttention: get(c, "mid_block_add_attention", true),
		QuantConv:         get(c, "use_quant_conv", true),
		PostQuantConv:     get(c, "use_post_quant_conv", true),
	}
	for i, t := range get(c, "down_block_types", []string{"DownEncoderBlock2D"}) {
		if t != "DownEncoderBlock2D" {
			c.fail("down_block_types[%d] is %q; supported: DownEncoderBlock2D", i, t)
		}
	}
	for i, t := range get(c, "up_block_types", []string{"UpDecoderBlock2D"}) {
		if t != "UpDecoderBlock2D" {
			c.fail("up_block_types[%d] is %q; supported: UpDecoderBlock2D", i, t)
		}
	}
	for _, ch := range v.BlockOutChannels {
		if ch%4 != 0 || v.NormNumGroups < 1 || ch%v.NormNumGroups != 0 {
			c.fail("block_out_channels has %d; multiples of 4 and of norm_num_groups (%d) are supported", ch, v.NormNumGroups)
		}
	}
	if len(v.BlockOutChannels) == 0 || v.InChannels != 3 || v.OutChannels != 3 || v.LatentChannels != 4 {
		c.fail("in_channels %d, out_channels %d, latent_channels %d over %d blocks; supported: 3, 3, 4 over at least one",
			v.InChannels, v.OutChannels, v.LatentChannels, len(v.BlockOutChannels))
	}
	c.only("act_fn", `"silu"`, `"swish"`)
	c.only("latents_mean", "null")
	c.only("latents_std", "null")
	c.ignored("sample_size", "force_upcast")
	return v, c.done()
}
