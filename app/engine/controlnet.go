package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/guides/controlnet"
	"github.com/imprompt/imprompt/model/imageproc"
)

func init() {
	makeGuide[settings.KindControlNet] = func(ctx context.Context, e *Engine, g settings.Guide, in guideInput) (guides.Guide, error) {
		guide, err := e.controlNet(ctx, g.(*settings.ControlNet), in)
		if err != nil {
			return nil, fmt.Errorf("ControlNet (guide %d): %w", in.number, err)
		}
		return guide, nil
	}
}

// controlNet opens a ControlNet and prepares its map.
func (e *Engine) controlNet(ctx context.Context, c *settings.ControlNet, in guideInput) (guides.Guide, error) {
	n, err := e.openControlNet(ctx, c.Weights)
	if err != nil {
		return nil, err
	}
	o := controlnet.Options{Lambda: c.Lambda, Start: c.Start, End: c.End, Balance: controlnet.Balance(c.Balance)}
	if o.Balance == controlnet.Balanced {
		if o.Balance, err = e.balanceOfFirst(ctx, in.guides); err != nil {
			return nil, err
		}
	}
	if o.Map, err = in.controlMap(c.Map, c.Preprocessor, c.PreprocessorWeights, n.Channels()); err != nil {
		return nil, err
	}
	if c.Mask != "" {
		p, err := in.pictures.mask(c.Mask)
		if err != nil {
			return nil, err
		}
		for i, m := range imageproc.MaskPreprocess(p, in.height, in.width) {
			if m > 0 {
				for k := range n.Channels() {
					o.Map[i*n.Channels()+k] = -1
				}
			}
		}
	}
	return controlnet.NewGuide(n, o)
}

// balanceOfFirst is the balance of ControlNets that ask for none. diffusers' pipelines run all
// of them in guess mode if the first one has global pooling.
func (e *Engine) balanceOfFirst(ctx context.Context, list settings.Guides) (controlnet.Balance, error) {
	for _, g := range list {
		if c, ok := g.(*settings.ControlNet); ok {
			first, err := e.openControlNet(ctx, c.Weights)
			if err == nil && first.GlobalPool() {
				return controlnet.Guess, nil
			}
			return controlnet.Balanced, err
		}
	}
	return controlnet.Balanced, nil
}

// openControlNet opens a ControlNet's folder or file, once.
func (e *Engine) openControlNet(ctx context.Context, name string) (*controlnet.ControlNet, error) {
	unet := e.loaded.pipeline.UNet
	return openStructure(ctx, e, name, loader.KindControlNet, func(c *loader.Checkpoint, text []byte) (*controlnet.ControlNet, error) {
		var config controlnet.Config
		var err error
		if text != nil {
			config, err = controlnet.ParseConfig(text)
		} else {
			// A file does not say whether it is a ControlNet Shuffle; its name does.
			config, err = controlnet.ConfigOf(c, unet.Config, strings.Contains(name, "shuffle"))
		}
		if err != nil {
			return nil, err
		}
		return controlnet.New(config, unet)
	})
}
