package state

import (
	"cmp"
	"fmt"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/web"
)

// UpscaleScales are how many times as wide and as high a picture can be drawn again. The last ones are done in tiles.
var UpscaleScales = []float64{1.5, 2, 4}

// ForUpscale returns a request for a result again, enlarged, with its words, image prompts and seed. inputs are the bytes of the
// pictures that its settings name, png are its own, and trained is the size that its model was trained for; 0 is the model that
// ships.
func (c *Composer) ForUpscale(r *Result, inputs map[string]any, png any, scale float64, trained int) Request {
	width, height := r.Settings.OutputSize()
	s := r.Settings.Clone().Upscaled(width, height, scale, cmp.Or(trained, web.Ships.Size))
	s.InitImage = fmt.Sprintf("start-result-%d.png", r.Settings.Seed)
	s.NumImages, s.PreviewVAE = 1, c.Settings.PreviewVAE
	note := ""
	if s.TileSize > 0 {
		var left int
		if s, left = s.WithoutPlaced(); left > 0 {
			note = texts.T("The picture is drawn in tiles, without what belongs to a place in it: its maps, and image prompts that work in a part of it.")
		}
	}
	request := again(r, s, inputs)
	request.Inputs[s.InitImage], request.LeftOut = Input{Bytes: png}, note
	return request
}

// CanUpscale reports whether a result can be drawn so many times as large.
func CanUpscale(r *Result, scale float64) bool {
	width, height := r.Settings.OutputSize()
	return float64(max(width, height))*scale <= MaxEdge
}

// SetHiresScale sets how many times as wide and as high a second pass draws the picture; 1 is no second pass.
func (c *Composer) SetHiresScale(scale float64) {
	if c.Settings.HiresScale = scale; scale <= 1 {
		c.Settings.HiresScale = 0 // the default, which recipes leave out
	}
}

// SetHiresStrength sets how far the second pass may go from the first.
func (c *Composer) SetHiresStrength(strength float64) {
	if c.Settings.HiresStrength = strength; strength == settings.HiresStrength {
		c.Settings.HiresStrength = 0
	}
}

// SetHiresSteps sets the steps of the second pass; 0 is as many as the first has.
func (c *Composer) SetHiresSteps(n int) { c.Settings.HiresSteps = n }

// SetTileSize sets the size of the tiles in which the start picture is drawn again; 0 draws it at once.
func (c *Composer) SetTileSize(n int) {
	c.Settings.TileSize, c.Settings.TileOverlap = n, settings.TileOverlapOf(n)
}

// passes makes the settings of a composition those of the passes that it can have: a second pass is for a picture from words,
// and tiles are for one from a start picture.
func passes(s *settings.Settings, start bool) {
	if start {
		s.HiresScale, s.HiresStrength, s.HiresSteps, s.HiresUpscaler = 0, 0, 0, ""
	} else {
		s.TileSize, s.TileOverlap = 0, 0
	}
}
