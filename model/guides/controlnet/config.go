package controlnet

import (
	"errors"
	"fmt"

	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
)

// Config is what ControlNetModel reads from its config.json.
type Config struct {
	Encoder              unet.Config
	ConditioningChannels int   // of the map
	EmbeddingChannels    []int // conditioning_embedding_out_channels
	BGR                  bool  // whether the map's channels are read backwards
	Features             []int // inject_channels of Uni-ControlNet's local adapter, by down block; nil for a ControlNet
	GlobalPool           bool  // whether residuals are averaged over the picture, as in ControlNet Shuffle
}

// ParseConfig reads a ControlNet's config.json. A field that the engine cannot honour is an
// error that names it.
func ParseConfig(data []byte) (Config, error) {
	c, err := nn.ParseConfig("the ControlNet's config.json", data)
	if err != nil {
		return Config{}, err
	}
	n := Config{
		Encoder:              unet.ReadEncoderConfig(c),
		ConditioningChannels: nn.Get(c, "conditioning_channels", 3),
		EmbeddingChannels:    nn.Get(c, "conditioning_embedding_out_channels", []int{16, 32, 96, 256}),
		GlobalPool:           nn.Get(c, "global_pool_conditions", false),
	}
	switch order := nn.Get(c, "controlnet_conditioning_channel_order", "rgb"); order {
	case "rgb", "bgr":
		n.BGR = order == "bgr"
	default:
		c.Fail("controlnet_conditioning_channel_order is %q; supported: rgb, bgr", order)
	}
	if len(n.EmbeddingChannels) == 0 {
		c.Fail("conditioning_embedding_out_channels is empty")
	}
	return n, c.Done()
}

// ConfigOf infers the configuration of a ControlNet that comes as one file, without a
// config.json. What the tensors' shapes do not tell is the base model's.
func ConfigOf(c nn.Checkpoint, base unet.Config, globalPool bool) (Config, error) {
	shape := func(name string) []int {
		_, s, _ := c.Info(name)
		return s
	}
	const embedding = "controlnet_cond_embedding."
	in, hint := shape("conv_in.weight"), shape(embedding+"conv_in.weight")
	if len(in) != 4 || len(hint) != 4 {
		return Config{}, fmt.Errorf("the file has no conv_in.weight or no %sconv_in.weight: it is not a ControlNet", embedding)
	}
	n := Config{Encoder: base, ConditioningChannels: hint[1], EmbeddingChannels: []int{hint[0]}, GlobalPool: globalPool}
	n.Encoder.InChannels = in[1]
	// A ControlNet of a distilled LCM has no embedding of the guidance, as in diffusers.
	n.Encoder.TimeCondProjDim = 0
	for i := 1; ; i += 2 {
		s := shape(fmt.Sprintf("%sblocks.%d.weight", embedding, i))
		if len(s) != 4 {
			return n, nil
		}
		n.EmbeddingChannels = append(n.EmbeddingChannels, s[0])
	}
}

// LocalConfigOf infers the configuration of Uni-ControlNet's local adapter from the shapes of its tensors. Its
// encoder is that of base, with 4 channels of latents and without an embedding of the guidance.
func LocalConfigOf(c nn.Checkpoint, base unet.Config) (Config, error) {
	n := Config{Encoder: base}
	n.Encoder.InChannels = 4
	n.Encoder.TimeCondProjDim = 0
	shape := func(format string, args ...any) []int {
		_, s, _ := c.Info(fmt.Sprintf("feature_extractor."+format, args...))
		return s
	}
	first := shape("pre_extractor.0.weight")
	if len(first) != 4 {
		return n, errors.New("the file has no feature_extractor.pre_extractor.0.weight: it is not the local adapter of Uni-ControlNet")
	}
	n.ConditioningChannels = first[1]
	for s := shape("zero_convs.0.weight"); len(s) == 4; s = shape("zero_convs.%d.weight", len(n.Features)) {
		n.Features = append(n.Features, s[0])
	}
	return n, nil
}
