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

// ImageEmbeds encodes the pictures of one of the settings' guides, an IP-Adapter, and returns a file
// that settings.IPAdapter.Embeds can name.
func (e *Engine) ImageEmbeds(ctx context.Context, s settings.Settings, index int, pictures Pictures, progress func(Event)) ([]byte, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if index < 0 || index >= len(s.Guides) {
		return nil, fmt.Errorf("there is no guide %d", index+1)
	}
	a, ok := s.Guides[index].(*settings.IPAdapter)
	if !ok || a.Embeds != "" {
		return nil, fmt.Errorf("guide %d has no pictures to encode: choose an image prompt with pictures", index+1)
	}
	if err := e.open(ctx, s.Model, s.VAE); err != nil {
		return nil, err
	}
	m := e.loaded
	m.report(progress)
	m.memory.Budget = e.budget(e.lowMemory(s))
	in, err := e.inputs(ctx, s, pictures)
	if err != nil {
		return nil, err
	}
	guide, err := e.ipAdapter(ctx, a, guideInput{number: index + 1, guides: s.Guides, pictures: in, height: s.Height, width: s.Width})
	if err != nil {
		return nil, fmt.Errorf("image prompt %d: %w", index+1, err)
	}
	kept, err := guide.Embed(ctx, &guides.Run{Device: e.Device, Memory: m.memory, UNet: m.pipeline.UNet, Encodings: &m.pipeline.Encodings, Batch: 2})
	if err != nil {
		return nil, e.explained(ctx, err)
	}
	file := loader.ImageEmbeds{Shape: []int{2, kept.Pictures, kept.Size}, Values: append(kept.Negative, kept.Values...), Encoder: kept.Encoder}
	if kept.Tokens > 1 {
		file.Shape = []int{2, kept.Pictures, kept.Tokens, kept.Size}
	}
	if a.Tiled != "" {
		for _, prompt := range a.Images {
			p, err := guideInput{pictures: in}.prompt(prompt)
			if err != nil {
				return nil, err
			}
			file.Tiled = append(file.Tiled, [2]int{p.Width, p.Height})
		}
	}
	return file.File(e.Device.F16)
}

// kept is a guide of embeddings that were kept. sizes are those of the pictures that were cut into
// tiles.
func (in guideInput) kept(ctx context.Context, adapter *ipadapter.Adapter, a *settings.IPAdapter, lambda guides.Lambda) (guide *ipadapter.Guide, sizes [][2]int, err error) {
	raw, ok := in.pictures.files[a.Embeds]
	if !ok {
		return nil, nil, fmt.Errorf("the file of embeddings %s is missing", a.Embeds)
	}
	file, err := loader.OpenImageEmbeds(ctx, loader.Memory(a.Embeds, raw))
	if err != nil {
		return nil, nil, err
	}
	n := len(file.Shape)
	kept := &ipadapter.Embeds{Pictures: file.Shape[1], Tokens: 1, Size: file.Shape[n-1], Values: file.Values, Encoder: file.Encoder}
	if n == 4 {
		kept.Tokens = file.Shape[2]
	}
	if file.Shape[0] == 2 {
		half := len(file.Values) / 2
		kept.Negative, kept.Values = file.Values[:half], file.Values[half:]
	}
	if a.Tiled == settings.TiledMasked {
		if err := checkTiles(file.Tiled, kept.Pictures); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", a.Embeds, err)
		}
	}
	guide, err = ipadapter.NewGuideOf(adapter, kept, lambda)
	if err != nil {
		err = fmt.Errorf("%s: %w", a.Embeds, err)
	}
	return guide, file.Tiled, err
}

// checkTiles refuses embeddings that are not of the tiles of pictures of those sizes.
func checkTiles(sizes [][2]int, pictures int) error {
	if sizes == nil {
		return errors.New("these embeddings are of whole pictures: leave the tiling out, or encode the pictures again with it")
	}
	tiles := 0
	for _, size := range sizes {
		if size[0] < 1 || size[1] < 1 || size[0] > 1<<16 || size[1] > 1<<16 || tiles > pictures {
			return errors.New("its sizes of pictures are damaged")
		}
		tiles += len(imageproc.NewTiling(size[0], size[1]).Tiles)
	}
	if tiles != pictures {
		return fmt.Errorf("it has the embeddings of %d tiles, and its pictures have %d: the file is damaged", pictures, tiles)
	}
	return nil
}
