package settings

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// HiresStrength is the strength of a second pass that does not name one: A1111's default. Latents that were enlarged
// are blurred, and a strength much below that leaves them so.
const HiresStrength = 0.7

// HiresUpscalers are the values of Settings.HiresUpscaler besides "", which means the first one. They are A1111's.
var HiresUpscalers = []string{"Latent", "Latent (bicubic)", "Latent (nearest-exact)"}

// Twice reports whether a second pass draws the picture again, larger.
func (s Settings) Twice() bool { return s.HiresScale > 1 }

// Second returns the settings of the second pass: an image-to-image run whose start is the first pass.
func (s Settings) Second() Settings {
	s.Width, s.Height = s.OutputSize()
	s.Strength = cmp.Or(s.HiresStrength, HiresStrength)
	s.NumInferenceSteps = cmp.Or(s.HiresSteps, s.NumInferenceSteps)
	s.HiresScale = 0
	return s
}

// OutputSize returns the size of the pictures, in pixels, after a second pass if there is one.
func (s Settings) OutputSize() (width, height int) {
	if !s.Twice() {
		return s.Width, s.Height
	}
	larger := func(n int) int { return int(float64(n)*s.HiresScale) / 8 * 8 }
	return larger(s.Width), larger(s.Height)
}

// secondSteps is how many steps the second pass runs, which is what A1111 counts.
func (s Settings) secondSteps() int {
	second := s.Second()
	return int(float64(second.NumInferenceSteps) * second.Strength)
}

// setSecondSteps sets HiresSteps so that the second pass runs so many steps.
func (s *Settings) setSecondSteps(n int) {
	strength := cmp.Or(s.HiresStrength, HiresStrength)
	if !(strength > 0 && strength <= 1) {
		return // which is said elsewhere
	}
	s.HiresSteps = int(math.Ceil(float64(n) / strength))
	if int(float64(s.HiresSteps)*strength) < n { // rounding
		s.HiresSteps++
	}
}

func (s Settings) validateHires(v *problems) {
	if s.HiresScale == 0 || s.HiresScale == 1 {
		return
	}
	v.number("hires_scale", s.HiresScale, 1, 4)
	v.number("hires_strength", s.HiresStrength, 0, 1)
	v.number("hires_steps", float64(s.HiresSteps), 0, 1000)
	v.require(s.HiresUpscaler == "" || slices.Contains(HiresUpscalers, s.HiresUpscaler),
		"hires_upscaler is %q. Choose one of %s", s.HiresUpscaler, strings.Join(HiresUpscalers, ", "))
	v.require(s.InitImage == "", "hires_scale draws a picture from words a second time, and init_image is given: leave one of them out. Upscale enlarges the result")
	width, height := s.OutputSize()
	v.require(width <= maxEdge && height <= maxEdge, "hires_scale %g makes %d × %d pixels, and at most %d a side are allowed: choose a smaller one", s.HiresScale, width, height, maxEdge)
	v.require(s.secondSteps() > 0, "hires_steps and hires_strength leave no step to run: raise one of the two")
}

// validateTiles checks a picture that is drawn tile by tile. What is only at a place of the result cannot be cut for its tiles.
func (s Settings) validateTiles(v *problems) {
	if s.TileSize == 0 {
		return
	}
	v.size("tile_size", s.TileSize)
	v.number("tile_overlap", float64(s.TileOverlap), 0, float64(s.TileSize/2))
	v.require(s.InitImage != "", "tile_size is given without init_image. The start picture is what is drawn again in tiles")
	v.require(!s.Twice(), "tile_size and hires_scale are given: leave one of them out")
	v.require(!s.Repaints(), "tile_size draws all of a picture again, so that it takes no mask and no borders")
	for i, g := range s.Guides {
		v.require(!placed(g), "guides[%d]: %s steers a place of the result, and tile_size draws it in tiles: leave one of the two out", i, g.Kind())
	}
}

// placed reports whether what a guide does differs from place to place in the result.
func placed(g Guide) bool {
	switch g := g.(type) {
	case *IPAdapter:
		return g.Mask != "" || g.Tiled == TiledMasked
	case *Reference:
		return false
	case *T2IAdapter, *ControlNet, *UniControlNet:
		return true
	}
	return false
}

// WithoutPlaced returns the settings without the guides that cannot be used with TileSize, and how many these are.
func (s Settings) WithoutPlaced() (Settings, int) {
	before := len(s.Guides)
	s.Guides = slices.DeleteFunc(slices.Clone(s.Guides), placed)
	return s, before - len(s.Guides)
}

// UpscaleStrength is the strength with which an enlarged picture is drawn again: enough for new details, and not enough for
// another picture.
const UpscaleStrength = 0.3

// Upscaled returns the settings that draw a picture of a size again, so many times as large, from itself. Where the result has
// more than twice the sides of what the model was trained for, it is drawn in tiles of that size. The picture is InitImage.
func (s Settings) Upscaled(width, height int, scale float64, trained int) Settings {
	larger := func(n int) int { return max(8, int(float64(n)*scale)/8*8) }
	s.Width, s.Height, s.Strength = larger(width), larger(height), UpscaleStrength
	s.NumInferenceSteps = max(s.NumInferenceSteps, int(math.Ceil(1/UpscaleStrength))) // so that there is one to run
	s.HiresScale, s.HiresStrength, s.HiresSteps, s.HiresUpscaler = 0, 0, 0, ""
	s.Mask, s.ResizeMode, s.Outpaint = "", ResizeDefault, Borders{}
	if s.TileSize, s.TileOverlap = 0, 0; max(s.Width, s.Height) > 2*trained {
		s.TileSize, s.TileOverlap = trained, TileOverlapOf(trained)
	}
	return s
}

// TileOverlapOf is how far tiles overlap, unless something else is chosen: 64 of 512 pixels, as in A1111.
func TileOverlapOf(tile int) int { return tile / 8 }

// TileCount is in how many tiles a picture is drawn (imageproc.NewGrid); 1 without TileSize.
func (s Settings) TileCount() int {
	count := 1
	for _, pixels := range []int{s.Width, s.Height} {
		if step := s.TileSize - s.TileOverlap; s.TileSize > 0 && pixels > s.TileSize && step > 0 {
			count *= (pixels - s.TileOverlap + step - 1) / step
		}
	}
	return count
}
