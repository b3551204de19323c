//go:build js && wasm

package ui

import (
	"fmt"
	"math"
	"strings"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/settings"
)

// restore takes over settings, all but their pictures, and says if their model is not
// here.
func (p *page) restore(s settings.Settings) (leftOut string) {
	leftOut = p.takeModel(s.Model)
	p.prompt, p.negative = s.Prompt, s.NegativePrompt
	p.s = s
	p.s.IPAdapters, p.s.InitImage, p.s.Mask, p.s.Model = nil, "", "", ""
	if p.s.Scheduler == "" {
		p.s.Scheduler = "pndm"
	}
	p.seedLocked = true
	p.problems = map[string]string{}
	p.note = note{}
	p.force = true
	p.countTokens()
	return leftOut
}

// restoreFile takes over the settings that a dropped PNG carried. Its image prompts are
// not in it, but they are here if the picture was made here.
func (p *page) restoreFile(s settings.Settings, leftOut []string, pic *picture) {
	offer := func() {
		p.addPrompt(newImagePrompt(pic))
		p.note = note{}
	}
	for _, r := range p.gallery {
		if len(s.IPAdapters)+len(s.InitImage) > 0 && toJSON(r.settings) == toJSON(s) {
			p.restoreResult(r)
			p.note = note{"Settings restored from " + pic.name + ". Its pictures were in the gallery.", "Use it as an image prompt as well", offer}
			return
		}
	}
	if len(leftOut) > 0 && s.Model == "" {
		s.Model = p.m.chosen.ID // another program's picture: its model is among what is left out
	}
	if lacks := p.restore(s); lacks != "" {
		leftOut = append(leftOut, lacks)
	}
	text := "Settings restored from " + pic.name + "."
	if len(leftOut) > 0 {
		text = "Settings restored from " + pic.name + ", but for: " + strings.Join(leftOut, "; ") + "."
	}
	for i, a := range s.IPAdapters {
		if i < len(p.prompts) {
			p.prompts[i].take(a)
		}
	}
	if len(s.IPAdapters) > len(p.prompts) {
		text += " Add its image prompts again: a picture carries only their names."
	}
	p.note = note{text, "Use it as an image prompt instead", offer}
}

// restoreResult takes over a result's settings and its pictures.
func (p *page) restoreResult(r *result) {
	if lacks := p.restore(r.settings); lacks != "" {
		p.note = note{text: "Restored, but for " + lacks + "."}
	}
	p.ctx.Async(func() {
		pictures, err := p.picturesOf(r)
		prompts, start, startMask := []*imagePrompt(nil), (*picture)(nil), mask{}
		s := r.settings
		for _, a := range s.IPAdapters {
			for _, wanted := range a.Images {
				if err != nil {
					break
				}
				var pic *picture
				if pic, err = fromStore(pictures, wanted.Picture); err != nil {
					break
				}
				im := newImagePrompt(pic)
				im.take(a)
				im.crop = cropOf(wanted.Crop, pic.width, pic.height)
				if a.Mask != "" {
					im.mask, err = maskFrom(pictures, a.Mask)
				}
				prompts = append(prompts, im)
			}
		}
		if s.InitImage != "" && err == nil {
			if start, err = fromStore(pictures, s.InitImage); err == nil && s.Mask != "" {
				startMask, err = maskFrom(pictures, s.Mask)
			}
		}
		p.ctx.Dispatch(func(app.Context) {
			if err != nil {
				p.note = note{text: "The settings are restored, but not their pictures: " + err.Error()}
				return
			}
			p.prompts, p.start, p.startMask = prompts, start, startMask
			p.force = true
			p.ctx.Defer(func(app.Context) { p.showCrops(); p.showMasks() })
		})
	})
}

// fromStore makes one of a result's pictures anew.
func fromStore(pictures map[string]js.Value, name string) (*picture, error) {
	data, ok := pictures[name]
	if !ok {
		return nil, fmt.Errorf("%s is not kept here", name)
	}
	// compose put the prompt's number, or start, before the name.
	_, plain, _ := strings.Cut(name, "-")
	return admit(plain, blob(data, ""))
}

// take takes over an adapter's settings.
func (im *imagePrompt) take(a settings.IPAdapter) {
	im.scale, im.layers, im.start, im.end, im.adapter = a.Scale, a.Layers, a.Start, a.End, a.Weights
}

// cropOf is the crop that has this square.
func cropOf(c *settings.Crop, width, height int) crop {
	k := newCrop(width, height)
	if c == nil || c.Size <= 0 {
		return k
	}
	k.zoom = min(max(float64(min(width, height))/float64(c.Size), 1), maxZoom)
	part := func(at, room int) float64 {
		if room <= 0 {
			return 0.5
		}
		return math.Min(math.Max(float64(at)/float64(room), 0), 1)
	}
	k.x, k.y = part(c.X, width-c.Size), part(c.Y, height-c.Size)
	return k
}
