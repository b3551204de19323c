package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/guides/controlnet"
	"github.com/imprompt/imprompt/model/guides/unicontrolnet"
	"github.com/imprompt/imprompt/model/nn"
)

func init() {
	makeGuide[settings.KindUniControlNet] = func(ctx context.Context, e *Engine, g settings.Guide, in guideInput) (guides.Guide, error) {
		guide, err := e.uniControlNet(ctx, g.(*settings.UniControlNet), in)
		if err != nil {
			return nil, fmt.Errorf("Uni-ControlNet (guide %d): %w", in.number, err)
		}
		return guide, nil
	}
}

// uniAdapters are the networks of a file of Uni-ControlNet, which may lack one.
type uniAdapters struct {
	local  *controlnet.ControlNet
	global *unicontrolnet.GlobalAdapter
}

// uniControlNet opens Uni-ControlNet and prepares its pictures.
func (e *Engine) uniControlNet(ctx context.Context, u *settings.UniControlNet, in guideInput) (guides.Guide, error) {
	adapters, err := e.openUniControlNet(ctx, u.Weights)
	if err != nil {
		return nil, err
	}
	o := unicontrolnet.Options{Global: adapters.global, Lambda: u.Global}
	if adapters.local != nil {
		pixels, err := in.uniMaps(u, adapters.local.Channels())
		if err != nil {
			return nil, err
		}
		if o.Local, err = controlnet.NewGuide(adapters.local, controlnet.Options{Map: pixels, Lambda: u.Local, Start: u.Start, End: u.End}); err != nil {
			return nil, err
		}
	} else if slices.ContainsFunc(u.Maps(), func(name *string) bool { return *name != "" }) {
		return nil, fmt.Errorf("%s has the global adapter alone, which reads no maps: leave them out, or choose a file with the local adapter (uni.ckpt)", u.Weights)
	}
	if u.Content != "" {
		encoder, err := e.imageEncoder(ctx, u.ImageEncoder)
		if err != nil {
			return nil, err
		}
		o.Vision = encoder.network
		if o.Pixels, err = in.pixels(encoder, settings.ImagePrompt{Picture: u.Content}); err != nil {
			return nil, err
		}
	}
	return unicontrolnet.NewGuide(o)
}

// uniMaps are all maps, [H, W, channels], one behind the other in the channels; those that are missing are zeros.
func (in guideInput) uniMaps(u *settings.UniControlNet, channels int) ([]float32, error) {
	list := u.Maps()
	if channels != 3*len(list) {
		return nil, fmt.Errorf("its local adapter reads %d channels; %d maps of 3 channels are supported", channels, len(list))
	}
	all := make([]float32, in.height*in.width*channels)
	for i, name := range list {
		if *name == "" {
			continue
		}
		in.part = settings.UniMaps[i]
		pixels, err := in.controlMap(*name, u.Preprocessors[i], u.PreprocessorWeights[i], 3)
		if err != nil {
			return nil, err
		}
		for at := 0; at < len(pixels); at += 3 {
			copy(all[at/3*channels+3*i:], pixels[at:at+3])
		}
	}
	return all, nil
}

// openUniControlNet opens a file's adapters, once.
func (e *Engine) openUniControlNet(ctx context.Context, name string) (uniAdapters, error) {
	m := e.loaded
	return openOnce(m, "Uni-ControlNet "+name, func() (a uniAdapters, err error) {
		folder, err := e.host.Folder(ctx, name)
		if err != nil {
			return a, err
		}
		c, _, err := loader.OpenStructure(ctx, folder, loader.Here, loader.KindUniControlNet)
		if err == nil {
			err = a.open(c, m)
		}
		if err != nil {
			return a, fmt.Errorf("%s: %w", name, err)
		}
		return a, nil
	})
}

// open lays out the adapters that a checkpoint has.
func (a *uniAdapters) open(c *loader.Checkpoint, m *loadedModel) error {
	unet := m.pipeline.UNet
	has := func(prefix string) bool {
		return slices.ContainsFunc(c.Names(), func(n string) bool { return strings.HasPrefix(n, prefix) })
	}
	if has(loader.LocalAdapter) {
		local := nn.Below(c, loader.LocalAdapter)
		config, err := controlnet.LocalConfigOf(local, unet.Config)
		if err != nil {
			return err
		}
		if a.local, err = controlnet.New(config, unet); err != nil {
			return err
		}
		if err := m.memory.Add(a.local, local, m.weights); err != nil {
			return err
		}
	}
	if has(loader.GlobalAdapter) {
		global := nn.Below(c, loader.GlobalAdapter)
		var err error
		if a.global, err = unicontrolnet.NewGlobal(global, unet); err != nil {
			return err
		}
		return m.memory.Add(a.global, global, m.weights)
	}
	return nil
}
