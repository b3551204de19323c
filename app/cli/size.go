package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/imprompt/imprompt/app/engine"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/imageproc"
)

// size fills in a height or a width that was not given: the start picture's or, if there is
// none, that of the first map, as in diffusers' ControlNet and adapter pipelines, or the
// model's own.
func (o *options) size(ctx context.Context, pictures map[string][]byte, host engine.Host) error {
	if o.upscale > 0 {
		return o.enlarge(pictures[o.InitImage], cmp.Or(modelSize(ctx, host, o.Model), settings.Default().Width))
	}
	if o.hasHeight && o.hasWidth {
		return nil
	}
	height, width := o.Height, o.Width
	if name := cmp.Or(o.InitImage, firstMap(o.Guides)); name != "" {
		m, err := imageproc.Decode(pictures[name])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		height, width = m.VAESize()
		height, width = height+o.Outpaint.Top+o.Outpaint.Bottom, width+o.Outpaint.Left+o.Outpaint.Right
	} else if own := modelSize(ctx, host, o.Model); own > 0 {
		height, width = own, own
	}
	if !o.hasHeight {
		o.Height = height
	}
	if !o.hasWidth {
		o.Width = width
	}
	return nil
}

// enlarge makes the settings those of an upscaled picture. own is the size that the model was trained for.
func (o *options) enlarge(picture []byte, own int) error {
	m, err := imageproc.Decode(picture)
	if err != nil {
		return fmt.Errorf("%s: %w", o.InitImage, err)
	}
	before := o.Settings
	o.Settings = o.Upscaled(m.Width, m.Height, o.upscale, own)
	if o.hasStrength {
		o.Strength = before.Strength
	}
	if o.hasTile {
		o.TileSize, o.TileOverlap = before.TileSize, before.TileOverlap
	}
	if o.hasOverlap {
		o.TileOverlap = before.TileOverlap
	}
	return nil
}

func firstMap(list settings.Guides) string {
	for _, g := range list {
		if s, ok := structureOf(g); ok {
			return *s.picture
		}
	}
	return ""
}

// modelSize returns the size that a model was trained for, or 0 if it is unknown. Errors
// in the model are reported when it is opened for drawing.
func modelSize(ctx context.Context, host engine.Host, model string) int {
	folder, err := host.Folder(ctx, model)
	if err != nil {
		return 0
	}
	b, err := loader.ReadFile(ctx, folder, "unet/config.json")
	if err != nil {
		return 0
	}
	var config struct {
		SampleSize int `json:"sample_size"`
	}
	if json.Unmarshal(b, &config) != nil {
		return 0
	}
	const factor = 8 // of Stable Diffusion's VAE
	return factor * max(config.SampleSize, 0)
}
