package unet

import "github.com/imprompt/imprompt/model/nn"

// Config is what UNet2DConditionModel reads from unet/config.json.
type Config struct {
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

// ParseConfig reads unet/config.json. A field that the engine cannot honour is an
// error that names it.
func ParseConfig(data []byte) (Config, error) {
	c, err := nn.ParseConfig("unet/config.json", data)
	if err != nil {
		return Config{}, err
	}
	u := ReadEncoderConfig(c)
	u.OutChannels = nn.Get(c, "out_channels", 4)
	u.UpBlockTypes = nn.Get(c, "up_block_types", []string{"UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"})
	u.TimeCondProjDim = nn.Get(c, "time_cond_proj_dim", 0)
	u.TimeEmbeddingDim = nn.Get(c, "time_embedding_dim", u.TimeEmbeddingDim)
	// One number, or, in some checkpoints, [height, width]: only a default size.
	if c.Has("sample_size") && c.Raw("sample_size")[0] != '[' {
		u.SampleSize = nn.Get(c, "sample_size", 64)
	}
	c.Only("conv_in_kernel", "3")
	c.Only("conv_out_kernel", "3")
	c.Only("center_input_sample", "false")
	c.Only("time_embedding_type", `"positional"`)
	c.Only("resnet_out_scale_factor", "1", "1.0")
	c.Only("attention_type", `"default"`)
	for _, name := range []string{"resnet_skip_time_act", "dual_cross_attention", "class_embeddings_concat"} {
		c.Only(name, "false", "null")
	}
	for _, name := range []string{"time_embedding_act_fn", "timestep_post_act", "cross_attention_norm", "reverse_transformer_layers_per_block"} {
		c.Only(name, "null")
	}
	c.Only("mid_block_only_cross_attention", "false", "null")
	c.Ignore("dropout", "sample_size")

	if n := len(u.BlockOutChannels); len(u.UpBlockTypes) != n {
		c.Fail("block_out_channels has %d entries, up_block_types %d", n, len(u.UpBlockTypes))
	}
	for _, t := range u.UpBlockTypes {
		if t != "CrossAttnUpBlock2D" && t != "UpBlock2D" {
			c.Fail("up_block_types has %q; supported: CrossAttnUpBlock2D, UpBlock2D", t)
		}
	}
	if u.OutChannels != 4 {
		c.Fail("out_channels is %d; supported: 4", u.OutChannels)
	}
	return u, c.Done()
}

// ReadEncoderConfig reads the fields of an Encoder, which a UNet and a ControlNet share. What
// cannot be honoured is reported by c.Done.
func ReadEncoderConfig(c *nn.Config) Config {
	u := Config{
		InChannels:          nn.Get(c, "in_channels", 4),
		BlockOutChannels:    nn.Get(c, "block_out_channels", []int{320, 640, 1280, 1280}),
		DownBlockTypes:      nn.Get(c, "down_block_types", []string{"CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"}),
		NormNumGroups:       nn.Get(c, "norm_num_groups", 32),
		NormEps:             nn.Get(c, "norm_eps", 1e-5),
		FlipSinToCos:        nn.Get(c, "flip_sin_to_cos", true),
		FreqShift:           nn.Get(c, "freq_shift", 0.0),
		UseLinearProjection: nn.Get(c, "use_linear_projection", false),
		DownsamplePadding:   nn.Get(c, "downsample_padding", 1),
		MidBlockScaleFactor: nn.Get(c, "mid_block_scale_factor", 1.0),
	}
	n := len(u.BlockOutChannels)
	u.MidBlockType = "UNetMidBlock2DCrossAttn"
	if c.Raw("mid_block_type") != nil { // null, which nn.Get takes for absent, means none
		u.MidBlockType = nn.Get(c, "mid_block_type", "")
	}
	c.Ignore("mid_block_type")
	u.LayersPerBlock = nn.Each(c, "layers_per_block", n, 2)
	u.TransformerLayers = nn.Each(c, "transformer_layers_per_block", n, 1)
	// diffusers' attention_head_dim is, for historical reasons, the number of heads,
	// unless num_attention_heads says it.
	heads := "attention_head_dim"
	if c.Has("num_attention_heads") {
		heads = "num_attention_heads"
	}
	u.Heads = nn.Each(c, heads, n, 8)
	c.Ignore("attention_head_dim", "num_attention_heads")
	dims := nn.Each(c, "cross_attention_dim", n, 1280)
	for _, d := range dims {
		if d != dims[0] {
			c.Fail("cross_attention_dim differs between blocks: %v", dims)
		}
	}
	if n > 0 {
		u.CrossAttentionDim = dims[0]
		u.TimeEmbeddingDim = 4 * u.BlockOutChannels[0]
	}
	c.Only("act_fn", `"silu"`, `"swish"`)
	c.Only("resnet_time_scale_shift", `"default"`)
	for _, name := range []string{"class_embed_type", "addition_embed_type", "addition_time_embed_dim", "encoder_hid_dim",
		"num_class_embeds", "projection_class_embeddings_input_dim"} {
		c.Only(name, "null")
	}
	// A UNet that was saved while an IP-Adapter was in it; the adapter's weights are left alone.
	c.Only("encoder_hid_dim_type", "null", `"ip_image_proj"`)
	c.Only("only_cross_attention", "false")
	// Logits are f32 here always, which is what upcast_attention asks for.
	c.Ignore("upcast_attention", "addition_embed_type_num_heads")
	u.check(c)
	return u
}

func (u Config) check(c *nn.Config) {
	n := len(u.BlockOutChannels)
	if n == 0 || len(u.DownBlockTypes) != n {
		c.Fail("block_out_channels has %d entries, down_block_types %d", n, len(u.DownBlockTypes))
		return
	}
	for _, t := range u.DownBlockTypes {
		if t != "CrossAttnDownBlock2D" && t != "DownBlock2D" {
			c.Fail("down_block_types has %q; supported: CrossAttnDownBlock2D, DownBlock2D", t)
		}
	}
	switch u.MidBlockType {
	case "", "UNetMidBlock2DCrossAttn", "UNetMidBlock2D":
	default:
		c.Fail("mid_block_type is %q; supported: UNetMidBlock2DCrossAttn, UNetMidBlock2D, null", u.MidBlockType)
	}
	if u.InChannels != 4 && u.InChannels != 9 {
		c.Fail("in_channels is %d; supported: 4, and 9 for inpainting", u.InChannels)
	}
	for i, ch := range u.BlockOutChannels {
		switch {
		case u.NormNumGroups < 1 || ch%u.NormNumGroups != 0:
			c.Fail("block_out_channels has %d, which norm_num_groups %d does not divide", ch, u.NormNumGroups)
		case ch%4 != 0:
			c.Fail("block_out_channels has %d; multiples of 4 are supported", ch)
		case u.Heads[i] < 1 || ch%u.Heads[i] != 0 || ch/u.Heads[i]%4 != 0:
			c.Fail("%d channels over %d heads: heads of a multiple of 4 numbers are supported", ch, u.Heads[i])
		}
	}
	if u.CrossAttentionDim%4 != 0 {
		c.Fail("cross_attention_dim is %d; multiples of 4 are supported", u.CrossAttentionDim)
	}
	if u.DownsamplePadding != 0 && u.DownsamplePadding != 1 {
		c.Fail("downsample_padding is %d; supported: 0, 1", u.DownsamplePadding)
	}
}
