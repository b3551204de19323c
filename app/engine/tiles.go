package engine

import (
	"context"

	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/pipeline"
)

// tiles draws the start picture again, enlarged, tile by tile (A1111's scripts/sd_upscale.py): each tile is an image-to-image
// run of its own with the words and the image prompts of the whole picture, and with the noise of the same seed. Several
// pictures are drawn one after the other. All tiles have one size, so that the runs share their programs.
func (d *drawing) tiles(ctx context.Context) error {
	s := d.settings
	p, err := d.inputs.picture(s.InitImage)
	if err != nil {
		return err
	}
	whole := p.RGB().Fit(s.Width, s.Height, imageproc.ResizeMode(s.ResizeMode))
	grid := imageproc.NewGrid(s.Width, s.Height, s.TileSize, s.TileOverlap)
	steps := float64(int(float64(s.NumInferenceSteps)*s.Strength)) + 1 // with the decoder
pictures:
	for i := range s.NumImages {
		one := s.From(i, 1)
		one.Width, one.Height = grid.TileWidth, grid.TileHeight
		drawn := make([]*imageproc.Image, len(grid.Places))
		for tile := range drawn {
			drawn[tile] = grid.Cut(whole, tile)
		}
		result := pipeline.Result{Index: i}
		for tile := range drawn {
			req, err := d.request(ctx, one)
			if err != nil {
				return err
			}
			start := drawn[tile]
			req.Init = imageproc.VAEPreprocess(start, one.Height, one.Width)
			at := pass{number: tile, of: len(drawn), images: s.NumImages, image: func(int) int { return i },
				before: float64(i*len(drawn)+tile) * steps, after: float64((s.NumImages-i)*len(drawn)-1-tile) * steps,
				preview: func(small *imageproc.Image) *imageproc.Image {
					drawn[tile] = small.Resize(one.Width, one.Height, imageproc.Bilinear)
					defer func() { drawn[tile] = start }()
					return grid.Combine(drawn)
				}}
			done := false
			err = d.run(ctx, req, overlay{}, at, func(r pipeline.Result) error {
				done = true
				start = imageproc.VAEPostprocess(r.Pixels, r.Height, r.Width)
				drawn[tile] = start
				result.Tiled = result.Tiled || r.Tiled
				return nil
			})
			if err != nil {
				return err
			}
			if !done {
				continue pictures // it was skipped
			}
		}
		if err := d.deliver(grid.Combine(drawn), result); err != nil {
			return err
		}
	}
	return nil
}
