package engine

import (
	"context"
	"errors"
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

// ipAdapter opens an IP-Adapter, and prepares its pictures with its image encoder, or the
// embeddings that were kept of them.
func (e *Engine) ipAdapter(ctx context.Context, a *settings.IPAdapter, in guideInput) (*ipadapter.Guide, error) {
	if a.Embeds == "" {
		// What is missing most often is named first.
		if _, err := e.imageEncoder(ctx, a.ImageEncoder); err != nil {
			return nil, err
		}
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
	if a.Tiled == settings.TiledMasked && adapter.Simple() {
		return nil, errors.New("a simple adapter works on the whole picture: choose the tiling concat, or take a global or Plus adapter")
	}
	var guide *ipadapter.Guide
	var sizes [][2]int // of the pictures that are cut into tiles
	if a.Embeds != "" {
		guide, sizes, err = in.kept(ctx, adapter, a, lambda)
	} else {
		guide, sizes, err = e.seen(ctx, adapter, a, lambda, in)
	}
	if err != nil {
		return nil, err
	}
	guide.Combine = a.Combine
	if a.Tiled == settings.TiledMasked {
		guide.Places = places(sizes)
	}
	return guide, nil
}

// seen is a guide of pictures, which an image encoder will see. sizes are those of the pictures that
// are cut into tiles.
func (e *Engine) seen(ctx context.Context, adapter *ipadapter.Adapter, a *settings.IPAdapter, lambda guides.Lambda, in guideInput) (guide *ipadapter.Guide, sizes [][2]int, err error) {
	encoder, err := e.imageEncoder(ctx, a.ImageEncoder)
	if err != nil {
		return nil, nil, err
	}
	var pixels [][]float32
	for _, prompt := range a.Images {
		p, err := in.prompt(prompt)
		if err != nil {
			return nil, nil, err
		}
		parts := []*imageproc.Image{p}
		if a.Tiled != "" {
			sizes = append(sizes, [2]int{p.Width, p.Height})
			parts = imageproc.NewTiling(p.Width, p.Height).Cut(p)
		}
		for _, part := range parts {
			values, err := encoder.preprocess(part)
			if err != nil {
				return nil, nil, err
			}
			pixels = append(pixels, values)
		}
	}
	if guide, err = ipadapter.NewGuide(adapter, encoder.network, pixels, lambda); err != nil {
		return nil, nil, err
	}
	if a.Negative != nil {
		guide.Negative, err = in.pixels(encoder, *a.Negative)
	}
	return guide, sizes, err
}

// pixels are an image prompt as its encoder reads it.
func (in guideInput) pixels(encoder *imageEncoder, prompt settings.ImagePrompt) ([]float32, error) {
	p, err := in.prompt(prompt)
	if err != nil {
		return nil, err
	}
	return encoder.preprocess(p)
}

// prompt reads an image prompt, cropped.
func (in guideInput) prompt(prompt settings.ImagePrompt) (*imageproc.Image, error) {
	p, err := in.pictures.picture(prompt.Picture)
	if c := prompt.Crop; err == nil && c != nil {
		p, err = p.Crop(imageproc.Crop{X: c.X, Y: c.Y, Size: c.Size})
	}
	return p, err
}

// places are those of the tiles of pictures. The tiles at the same place in pictures of the same
// size share it, as those of a batch do in IPAdapter_plus.
func places(sizes [][2]int) (list []ipadapter.Place) {
	first := map[[2]int]int{} // the place of a size's first tile
	tile := 0
	for _, size := range sizes {
		tiling := imageproc.NewTiling(size[0], size[1])
		at, known := first[size]
		if !known {
			at = len(list)
			first[size] = at
			for i := range tiling.Tiles {
				list = append(list, ipadapter.Place{Mask: func(h, w int) []float32 { return tiling.Place(i, h, w) }})
			}
		}
		for i := range tiling.Tiles {
			list[at+i].Pictures = append(list[at+i].Pictures, tile)
			tile++
		}
	}
	return list
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
