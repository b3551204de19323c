package engine

import (
	"context"
	"fmt"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/guides/ipadapter"
	"github.com/imprompt/imprompt/model/imageproc"
)

func init() {
	makeGuide[settings.KindIPAdapter] = func(ctx context.Context, e *Engine, g settings.Guide, in guideInput) (guides.Guide, error) {
		guide, err := e.ipAdapter(ctx, g.(*settings.IPAdapter), in)
		if err != nil {
			return nil, fmt.Errorf("image prompt %d: %w", in.number, err)
		}
		return guide, nil
	}
}

// ipAdapter opens an IP-Adapter and its image encoder, and prepares its pictures.
func (e *Engine) ipAdapter(ctx context.Context, a *settings.IPAdapter, in guideInput) (guides.Guide, error) {
	encoder, err := e.imageEncoder(ctx, a.ImageEncoder)
	if err != nil {
		return nil, err
	}
	adapter, err := e.openAdapter(ctx, a.Weights)
	if err != nil {
		return nil, err
	}
	lambda := guides.Lambda{Start: a.Start, End: a.End}
	if lambda.Layers, err = guides.Layers(e.loaded.pipeline.UNet, a.Lambda, a.Layers); err != nil {
		return nil, err
	}
	if lambda.Opposed, err = guides.Opposed(e.loaded.pipeline.UNet, a.Layers); err != nil {
		return nil, err
	}
	if lambda.Mask, err = in.mask(a.Mask); err != nil {
		return nil, err
	}
	pixels := make([][]float32, len(a.Images))
	for i, picture := range a.Images {
		if pixels[i], err = in.pixels(encoder, picture); err != nil {
			return nil, err
		}
	}
	guide, err := ipadapter.NewGuide(adapter, encoder.network, pixels, lambda)
	if err != nil {
		return nil, err
	}
	guide.Combine = a.Combine
	if a.Negative != nil {
		guide.Negative, err = in.pixels(encoder, *a.Negative)
	}
	return guide, err
}

// pixels are an image prompt as its encoder reads it.
func (in guideInput) pixels(encoder *imageEncoder, prompt settings.ImagePrompt) ([]float32, error) {
	p, err := in.pictures.picture(prompt.Picture)
	if err != nil {
		return nil, err
	}
	if c := prompt.Crop; c != nil {
		if p, err = p.Crop(imageproc.Crop{X: c.X, Y: c.Y, Size: c.Size}); err != nil {
			return nil, err
		}
	}
	return encoder.preprocess(p)
}

// openAdapter opens an adapter's file, once.
func (e *Engine) openAdapter(ctx context.Context, name string) (*ipadapter.Adapter, error) {
	m := e.loaded
	return openOnce(m, "IP-Adapter "+name, func() (*ipadapter.Adapter, error) {
		s, err := e.host.File(ctx, name)
		if err != nil {
			return nil, err
		}
		c, err := loader.OpenIPAdapter(ctx, s)
		if err != nil {
			return nil, err
		}
		a, err := ipadapter.New(c, m.pipeline.UNet)
		if err == nil {
			err = m.memory.Add(a, c, m.weights)
		}
		switch {
		case err != nil && name == "":
			return nil, fmt.Errorf("the IP-Adapter that ships does not fit this model: choose one that does (with --ip-adapter on the command line, or under Models on the page)")
		case err != nil:
			return nil, fmt.Errorf("%s: %w", s.Name(), err)
		}
		return a, nil
	})
}
