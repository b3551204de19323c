package engine

import (
	"context"
	"fmt"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/guides/t2iadapter"
	"github.com/imprompt/imprompt/model/nn"
)

func init() {
	makeGuide[settings.KindT2IAdapter] = func(ctx context.Context, e *Engine, g settings.Guide, in guideInput) (guides.Guide, error) {
		guide, err := e.t2iAdapter(ctx, g.(*settings.T2IAdapter), in)
		if err != nil {
			return nil, fmt.Errorf("T2I-Adapter (guide %d): %w", in.number, err)
		}
		return guide, nil
	}
}

// t2iAdapter opens a T2I-Adapter and prepares its map, or, for a style adapter, its picture.
func (e *Engine) t2iAdapter(ctx context.Context, s *settings.T2IAdapter, in guideInput) (guides.Guide, error) {
	n, err := e.openT2IAdapter(ctx, s.Weights)
	if err != nil {
		return nil, err
	}
	a, ok := n.(*t2iadapter.Adapter)
	if !ok {
		return e.style(ctx, n.(*t2iadapter.StyleAdapter), s, in)
	}
	o := t2iadapter.Options{Lambda: s.Lambda, Start: s.Start, End: s.End}
	if o.Map, err = in.controlMap(s.Map, s.Preprocessor, s.PreprocessorWeights, a.Channels()); err != nil {
		return nil, err
	}
	return t2iadapter.NewGuide(a, o), nil
}

// style prepares the picture of a style adapter for its image encoder.
func (e *Engine) style(ctx context.Context, a *t2iadapter.StyleAdapter, s *settings.T2IAdapter, in guideInput) (guides.Guide, error) {
	encoder, err := e.imageEncoder(ctx, s.ImageEncoder)
	if err != nil {
		return nil, err
	}
	o := t2iadapter.StyleOptions{Lambda: s.Lambda, Start: s.Start, End: s.End}
	if o.Pixels, err = in.pixels(encoder, settings.ImagePrompt{Picture: s.Map}); err != nil {
		return nil, err
	}
	return t2iadapter.NewStyleGuide(a, encoder.network, o)
}

// openT2IAdapter opens an adapter's folder or file, once.
func (e *Engine) openT2IAdapter(ctx context.Context, name string) (nn.Network, error) {
	unet := e.loaded.pipeline.UNet
	return openStructure(ctx, e, name, loader.KindT2IAdapter, func(c *loader.Checkpoint, text []byte) (nn.Network, error) {
		if t2iadapter.IsStyle(c) {
			config, err := t2iadapter.StyleConfigOf(c)
			if err != nil {
				return nil, err
			}
			return t2iadapter.NewStyle(config, unet)
		}
		var config t2iadapter.Config
		var err error
		if text != nil {
			config, err = t2iadapter.ParseConfig(text)
		} else {
			config, err = t2iadapter.ConfigOf(c)
		}
		if err != nil {
			return nil, err
		}
		return t2iadapter.New(config, unet)
	})
}
