package clip

import (
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// Config is what both CLIP towers read from their config.json (transformers'
// CLIPTextConfig and CLIPVisionConfig).
type Config struct {
	HiddenSize, IntermediateSize, Layers, Heads int
	Activation                                  gpu.Activation
	LayerNormEps                                float64
	ProjectionDim                               int // the vision tower's
	VocabSize, MaxPositions, EOSTokenID         int // the text tower's
	ImageSize, PatchSize, Channels              int // the vision tower's
}

// ParseTextConfig reads text_encoder/config.json.
func ParseTextConfig(data []byte) (Config, error) {
	return parse("text_encoder/config.json", data, "text_config", Config{
		HiddenSize: 512, IntermediateSize: 2048, Layers: 12, Heads: 8, VocabSize: 49408, MaxPositions: 77})
}

// ParseVisionConfig reads image_encoder/config.json.
func ParseVisionConfig(data []byte) (Config, error) {
	return parse("image_encoder/config.json", data, "vision_config", Config{
		HiddenSize: 768, IntermediateSize: 3072, Layers: 12, Heads: 12, ProjectionDim: 512, ImageSize: 224, PatchSize: 32, Channels: 3})
}

func parse(file string, data []byte, nested string, missing Config) (Config, error) {
	c, err := nn.ParseConfig(file, data)
	if err != nil {
		return Config{}, err
	}
	// A whole CLIPModel's configuration has the tower's inside.
	projection := nn.Get(c, "projection_dim", 512)
	if c.Has(nested) {
		if c, err = nn.ParseConfig(file, c.Raw(nested)); err != nil {
			return Config{}, err
		}
	}
	out := Config{
		HiddenSize:       nn.Get(c, "hidden_size", missing.HiddenSize),
		IntermediateSize: nn.Get(c, "intermediate_size", missing.IntermediateSize),
		Layers:           nn.Get(c, "num_hidden_layers", missing.Layers),
		Heads:            nn.Get(c, "num_attention_heads", missing.Heads),
		LayerNormEps:     nn.Get(c, "layer_norm_eps", 1e-5),
		ProjectionDim:    nn.Get(c, "projection_dim", projection),
		VocabSize:        nn.Get(c, "vocab_size", missing.VocabSize),
		MaxPositions:     nn.Get(c, "max_position_embeddings", missing.MaxPositions),
		EOSTokenID:       nn.Get(c, "eos_token_id", 49407),
		ImageSize:        nn.Get(c, "image_size", missing.ImageSize),
		PatchSize:        nn.Get(c, "patch_size", missing.PatchSize),
		Channels:         nn.Get(c, "num_channels", missing.Channels),
	}
	switch act := nn.Get(c, "hidden_act", "quick_gelu"); act {
	case "quick_gelu":
		out.Activation = gpu.QuickGELU
	case "gelu":
		out.Activation = gpu.GELU
	default:
		c.Fail("hidden_act is %q; supported: quick_gelu, gelu", act)
	}
	if out.Heads < 1 || out.HiddenSize%out.Heads != 0 || (out.HiddenSize/out.Heads)%4 != 0 {
		c.Fail("hidden_size %d over %d heads: heads of a multiple of 4 numbers are supported", out.HiddenSize, out.Heads)
	}
	if missing.ImageSize > 0 && (out.PatchSize < 1 || out.ImageSize < out.PatchSize || out.Channels != 3) {
		c.Fail("image_size %d, patch_size %d, num_channels %d: pictures of 3 channels and at least one patch are supported", out.ImageSize, out.PatchSize, out.Channels)
	}
	// transformers writes many fields that say nothing of the network's shape.
	c.Ignore(c.Names()...)
	return out, c.Done()
}
