package model

import "github.com/imprompt/imprompt/gpu"

// CLIPConfig is what both CLIP towers read from their config.json (transformers'
// CLIPTextConfig and CLIPVisionConfig).
type CLIPConfig struct {
	HiddenSize, IntermediateSize, Layers, Heads int
	Activation                                  gpu.Activation
	LayerNormEps                                float64
	ProjectionDim                               int // the vision tower's
	VocabSize, MaxPositions, EOSTokenID         int // the text tower's
	ImageSize, PatchSize, Channels              int // the vision tower's
}

// ParseCLIPTextConfig reads text_encoder/config.json.
func ParseCLIPTextConfig(data []byte) (CLIPConfig, error) {
	return parseCLIP("text_encoder/config.json", data, "text_config", CLIPConfig{
		HiddenSize: 512, IntermediateSize: 2048, Layers: 12, Heads: 8, VocabSize: 49408, MaxPositions: 77})
}

// ParseCLIPVisionConfig reads image_encoder/config.json.
func ParseCLIPVisionConfig(data []byte) (CLIPConfig, error) {
	return parseCLIP("image_encoder/config.json", data, "vision_config", CLIPConfig{
		HiddenSize: 768, IntermediateSize: 3072, Layers: 12, Heads: 12, ProjectionDim: 512, ImageSize: 224, PatchSize: 32, Channels: 3})
}

func parseCLIP(file string, data []byte, nested string, missing CLIPConfig) (CLIPConfig, error) {
	c, err := parseConfig(file, data)
	if err != nil {
		return CLIPConfig{}, err
	}
	// A whole CLIPModel's configuration has the tower's inside.
	if c.has(nested) {
		projection := c.fields["projection_dim"]
		if c, err = parseConfig(file, c.fields[nested]); err != nil {
			return CLIPConfig{}, err
		}
		if projection != nil && !c.has("projection_dim") {
			c.fields["projection_dim"] = projection
		}
	}
	out := CLIPConfig{
		HiddenSize:       get(c, "hidden_size", missing.HiddenSize),
		IntermediateSize: get(c, "intermediate_size", missing.IntermediateSize),
		Layers:           get(c, "num_hidden_layers", missing.Layers),
		Heads:            get(c, "num_attention_heads", missing.Heads),
		LayerNormEps:     get(c, "layer_norm_eps", 1e-5),
		ProjectionDim:    get(c, "projection_dim", 512),
		VocabSize:        get(c, "vocab_size", missing.VocabSize),
		MaxPositions:     get(c, "max_position_embeddings", missing.MaxPositions),
		EOSTokenID:       get(c, "eos_token_id", 49407),
		ImageSize:        get(c, "image_size", missing.ImageSize),
		PatchSize:        get(c, "patch_size", missing.PatchSize),
		Channels:         get(c, "num_channels", missing.Channels),
	}
	switch act := get(c, "hidden_act", "quick_gelu"); act {
	case "quick_gelu":
		out.Activation = gpu.QuickGELU
	case "gelu":
		out.Activation = gpu.GELU
	default:
		c.fail("hidden_act is %q; supported: quick_gelu, gelu", act)
	}
	if out.Heads < 1 || out.HiddenSize%out.Heads != 0 || (out.HiddenSize/out.Heads)%4 != 0 {
		c.fail("hidden_size %d over %d heads: heads of a multiple of 4 numbers are supported", out.HiddenSize, out.Heads)
	}
	if missing.ImageSize > 0 && (out.PatchSize < 1 || out.ImageSize < out.PatchSize || out.Channels != 3) {
		c.fail("image_size %d, patch_size %d, num_channels %d: pictures of 3 channels and at least one patch are supported", out.ImageSize, out.PatchSize, out.Channels)
	}
	// transformers writes many fields that say nothing of the network's shape.
	for name := range c.fields {
		c.ignored(name)
	}
	return out, c.done()
}
