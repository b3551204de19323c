package state

import (
	"fmt"

	"github.com/imprompt/imprompt/app/settings"
)

const (
	variationCount = 4    // how many pictures like another one are drawn, unless the visitor has chosen to have several
	variationShare = 0.25 // how much of other noise they have
	likeWeight     = 0.5  // the weight of a picture that is its own image prompt
)

// SetVariation says how much of a second seed's noise is mixed into that of the seed. The first time, it rolls that seed.
func (c *Composer) SetVariation(strength float64) {
	if c.Settings.VariationStrength = strength; c.Settings.VariationSeed == 0 && strength > 0 {
		c.RollVariation()
	}
}

// RollVariation chooses a new variation seed.
func (c *Composer) RollVariation() { c.Settings.VariationSeed = anySeed() }

// ForVariations returns a request for pictures of a result's settings and its seed, with a little of the noise of other seeds. If
// the result is itself a variation, they are other variations of the same seed, and as strong. inputs are the bytes of the
// pictures that its settings name.
func (c *Composer) ForVariations(r *Result, inputs map[string]any) Request {
	s := c.like(r)
	if s.VariationSeed = anySeed(); s.VariationStrength == 0 {
		s.VariationStrength = variationShare
	}
	return again(r, s, inputs)
}

// ForMoreLike returns a request for pictures of new seeds that have a result as their image prompt, in place of its own image
// prompts, and its words. png are the bytes of the result, and fit the adapters that fit its model.
func (c *Composer) ForMoreLike(r *Result, inputs map[string]any, png any, fit []Adapter) Request {
	s := c.like(r)
	s.Seed, s.VariationSeed, s.VariationStrength = anySeed(), 0, 0
	width, height := s.OutputSize()
	im := NewImagePrompt(&Picture{Name: fmt.Sprintf("result-%d.png", r.Settings.Seed), Width: width, Height: height, Bytes: png})
	im.Scale = likeWeight
	for _, before := range s.IPAdapters() {
		im.Adapter = before.Weights // of several, the last
	}
	own := map[string]Input{}
	guides := settings.Guides{im.guideWith(1, fit, own)}
	for _, g := range s.Guides {
		if _, ok := g.(*settings.IPAdapter); !ok {
			guides = append(guides, g)
		}
	}
	s.Guides = guides
	request := again(r, s, inputs)
	for name, in := range own {
		request.Inputs[name] = in
	}
	return request
}

// like returns the settings of a result, for as many pictures as the visitor wants.
func (c *Composer) like(r *Result) settings.Settings {
	s := r.Settings.Clone()
	if s.NumImages = c.Settings.NumImages; s.NumImages == 1 {
		s.NumImages = variationCount
	}
	s.PreviewVAE = c.Settings.PreviewVAE
	return s
}

// again returns a request for pictures like a result.
func again(r *Result, s settings.Settings, bytes map[string]any) Request {
	inputs := map[string]Input{}
	for _, name := range s.Pictures() {
		if data, ok := bytes[name]; ok {
			inputs[name] = Input{Bytes: data}
		}
	}
	request := batch(s, inputs)
	request.Of = r
	return request
}
