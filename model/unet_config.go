package model

// UNetConfig is what UNet2DConditionModel reads from unet/config.json.
type UNetConfig struct {
	InChannels, OutChannels int
	BlockOutChannels        []int
	DownBlockTypes          []string
	MidBlockType            string // "" for none
	UpBlockTypes            []string
	LayersPerBlock          []int // by down block
	TransformerLayers       []int // by down block
	Heads                   []int // by down block; the last is the mid block's, too
	CrossAttentionDim       int
	NormNumGroups           int
	NormEps                 float64
	FlipSinToCos            bool
	FreqShift               float64
	TimeEmbeddingDim        int
	TimeCondProjDim         int // 0 for none; the guidance embedding of a distilled LCM
	UseLinearProjection     bool
	DownsamplePadding       int
	MidBlockScaleFactor     float64
	SampleSize              int
}

// ParseUNetConfig reads unet/config.json. A field that the engine cannot honour is an
// error that names it.
func ParseUNetConfig(data []byte) (UNetConfig, error) {
	c, err := parseConfig("unet/config.json", data)
	if err != nil {
		return UNetConfig{}, err
	}
	u := UNetConfig{
		InChannels:          get(c, "in_channels", 4),
		OutChannels:         get(c, "out_channels", 4),
		BlockOutChannels:    get(c, "block_out_channels", []int{320, 640, 1280, 1280}),
		DownBlockTypes:      get(c, "down_block_types", []string{"CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"}),
		UpBlockTypes:        get(c, "up_block_types", []string{"UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"}),
		NormNumGroups:       get(c, "norm_num_groups", 32),
		NormEps:             get(c, "norm_eps", 1e-5),
		FlipSinToCos:        get(c, "flip_sin_to_cos", true),
		FreqShift:           get(c, "freq_shift", 0.0),
		TimeCondProjDim:     get(c, "time_cond_proj_dim", 0),
		UseLinearProjection: get(c, "use_linear_projection", false),
		DownsamplePadding:   get(c, "downsample_padding", 1),
		MidBlockScaleFactor: get(c, "mid_block_scale_factor", 1.0),
	}
	n := len(u.BlockOutChannels)
	u.MidBlockType = "UNetMidBlock2DCrossAttn"
	if v, ok := c.fields["mid_block_type"]; ok {
		u.MidBlockType = ""
		if string(v) != "null" {
			u.MidBlockType = get(c, "mid_block_type", "")
		}
	}
	c.ignored("mid_block_type")
	u.LayersPerBlock = each(c, "layers_per_block", n, 2)
	u.TransformerLayers = each(c, "transformer_layers_per_block", n, 1)
	// diffusers' attention_head_dim is, for historical reasons, the number of heads,
	// unless num_attention_heads says it.
	heads := "attention_head_dim"
	if c.has("num_attention_heads") {
		heads = "num_attention_heads"
	}
	u.Heads = each(c, heads, n, 8)
	c.ignored("attention_head_dim", "num_attention_heads")
	dims := each(c, "cross_attention_dim", n, 1280)
	for _, d := range dims {
		if d != dims[0] {
			c.fail("cross_attention_dim differs between blocks: %v", dims)
		}
	}
	if n > 0 {
		u.CrossAttentionDim = dims[0]
		u.TimeEmbeddingDim = get(c, "time_embedding_dim", 4*u.BlockOutChannels[0])
	}
	// One number, or, in some checkpoints, [height, width]: only a default size.
	if c.has("sample_size") && c.fields["sample_size"][0] != '[' {
		u.SampleSize = get(c, "sample_size", 64)
	}

	c.only("act_fn", `"silu"`, `"swish"`)
	c.only("conv_in_kernel", "3")
	c.only("conv_out_kernel", "3")
	c.only("center_input_sample", "false")
	c.only("time_embedding_type", `"positional"`)
	c.only("resnet_time_scale_shift", `"default"`)
	c.only("resnet_out_scale_factor", "1", "1.0")
	c.only("attention_type", `"default"`)
	for _, name := range []string{"resnet_skip_time_act", "dual_cross_attention", "class_embeddings_concat"} {
		c.only(name, "false", "null")
	}
	for _, name := range []string{"class_embed_type", "addition_embed_type", "addition_time_embed_dim", "encoder_hid_dim",
		"encoder_hid_dim_type", "num_class_embeds", "projection_class_embeddings_input_dim", "time_embedding_act_fn",
		"timestep_post_act", "cross_attention_norm", "reverse_transformer_layers_per_block"} {
		c.only(name, "null")
	}
	c.only("only_cross_attention", "false")
	c.only("mid_block_only_cross_attention", "false", "null")
	// Logits are f32 here always, which is what upcast_attention asks for.
	c.ignored("upcast_attention", "dropout", "sample_size", "addition_embed_type_num_heads")

	u.check(c)
	return u, c.done()
}

func (u UNetConfig) check(c *config) {
	n := len(u.BlockOutChannels)
	if n == 0 || len(u.DownBlockTypes) != n || len(u.UpBlockTypes) != n {
		c.fail("block_out_channels has %d entries, down_block_types %d, up_block_types %d", n, len(u.DownBlockTypes), len(u.UpBlockTypes))
		return
	}
	for _, t := range u.DownBlockTypes {
		if t != "CrossAttnDownBlock2D" && t != "DownBlock2D" {
			c.fail("down_block_types has %q; supported: CrossAttnDownBlock2D, DownBlock2D", t)
		}
	}
	for _, t := range u.UpBlockTypes {
		if t != "CrossAttnUpBlock2D" && t != "UpBlock2D" {
			c.fail("up_block_types has %q; supported: CrossAttnUpBlock2D, UpBlock2D", t)
		}
	}
	switch u.MidBlockType {
	case "", "UNetMidBlock2DCrossAttn", "UNetMidBlock2D":
	default:
		c.fail("mid_block_type is %q; supported: UNetMidBlock2DCrossAttn, UNetMidBlock2D, null", u.MidBlockType)
	}
	if u.InChannels != 4 && u.InChannels != 9 {
		c.fail("in_channels is %d; supported: 4, and 9 for inpainting", u.InChannels)
	}
	if u.OutChannels != 4 {
		c.fail("out_channels is %d; supported: 4", u.OutChannels)
	}
	for i, ch := range u.BlockOutChannels {
		switch {
		case u.NormNumGroups < 1 || ch%u.NormNumGroups != 0:
			c.fail("block_out_channels has %d, which norm_num_groups %d does not divide", ch, u.NormNumGroups)
		case ch%4 != 0:
			c.fail("block_out_channels has %d; multiples of 4 are supported", ch)
		case u.Heads[i] < 1 || ch%u.Heads[i] != 0 || ch/u.Heads[i]%4 != 0:
			c.fail("%d channels over %d heads: heads of a multiple of 4 numbers are supported", ch, u.Heads[i])
		}
	}
	if u.CrossAttentionDim%4 != 0 {
		c.fail("cross_attention_dim is %d; multiples of 4 are supported", u.CrossAttentionDim)
	}
	if u.DownsamplePadding != 0 && u.DownsamplePadding != 1 {
		c.fail("downsample_padding is %d; supported: 0, 1", u.DownsamplePadding)
	}
}
