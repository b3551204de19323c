package t2iadapter

import (
	"errors"
	"fmt"

	"github.com/imprompt/imprompt/model/nn"
)

// Config is what diffusers' T2IAdapter reads from its config.json.
type Config struct {
	InChannels      int   // of the map
	Channels        []int // of the features; a light adapter lists three for its four
	ResBlocks       int   // in each stage
	DownscaleFactor int   // from the map to the first features
	Light           bool
}

// ParseConfig reads an adapter's config.json. A field that the engine cannot honour is an
// error that names it.
func ParseConfig(data []byte) (Config, error) {
	c, err := nn.ParseConfig("the T2I-Adapter's config.json", data)
	if err != nil {
		return Config{}, err
	}
	a := Config{
		InChannels:      nn.Get(c, "in_channels", 3),
		Channels:        nn.Get(c, "channels", []int{320, 640, 1280, 1280}),
		ResBlocks:       nn.Get(c, "num_res_blocks", 2),
		DownscaleFactor: nn.Get(c, "downscale_factor", 8),
	}
	switch form := nn.Get(c, "adapter_type", "full_adapter"); form {
	case "full_adapter", "light_adapter":
		a.Light = form == "light_adapter"
	default:
		c.Fail("adapter_type is %q; supported: full_adapter, light_adapter", form)
	}
	if len(a.Channels) == 0 || a.DownscaleFactor < 1 || a.InChannels < 1 {
		c.Fail("channels %v, downscale_factor %d and in_channels %d make no network", a.Channels, a.DownscaleFactor, a.InChannels)
	}
	return a, c.Done()
}

// ConfigOf infers the configuration of an adapter that comes as one file, without a
// config.json, from the shapes of its tensors. The published adapters shrink a map eightfold.
func ConfigOf(c nn.Checkpoint) (Config, error) {
	shape := func(format string, args ...any) []int {
		_, s, _ := c.Info(fmt.Sprintf("adapter."+format, args...))
		return s
	}
	a := Config{DownscaleFactor: 8, Light: shape("body.0.out_conv.weight") != nil}
	first, last := "conv_in.weight", "body.%d.resnets.0.block1.weight"
	if a.Light {
		first, last = "body.0.in_conv.weight", "body.%d.out_conv.weight"
	}
	in := shape("%s", first)
	if len(in) != 4 || in[1] < 64 || in[1]%64 != 0 {
		return a, errors.New("the file has no adapter." + first + " of a supported shape: it is not a T2I-Adapter for Stable Diffusion 1.5")
	}
	a.InChannels = in[1] / 64
	for s := shape(last, 0); len(s) == 4; s = shape(last, len(a.Channels)) {
		a.Channels = append(a.Channels, s[0])
	}
	if a.Light && len(a.Channels) > 1 {
		a.Channels = a.Channels[:len(a.Channels)-1]
	}
	for shape("body.0.resnets.%d.block1.weight", a.ResBlocks) != nil {
		a.ResBlocks++
	}
	return a, nil
}
