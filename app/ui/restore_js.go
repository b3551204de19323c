//go:build js && wasm

package ui

import (
	"fmt"
	"strings"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/state"
)

// restore takes over settings, all but their pictures, and says if their model is not
// here.
func (p *page) restore(s settings.Settings) (leftOut string) {
	leftOut = p.takeModel(s.Model)
	p.composer.Settings = s
	p.composer.Settings.IPAdapters, p.composer.Settings.InitImage, p.composer.Settings.Mask, p.composer.Settings.Model = nil, "", "", ""
	if p.composer.Settings.Scheduler == "" {
		p.composer.Settings.Scheduler = "pndm"
	}
	p.composer.SeedLocked = true
	p.composer.Problems = state.Problems{}
	p.note = state.Note{}
	p.force = true
	p.countTokens()
	return leftOut
}

// restoreFile takes over the settings that a dropped PNG carried. Its image prompts are
// not in it, but they are here if the picture was made here.
func (p *page) restoreFile(s settings.Settings, leftOut []string, pic *state.Picture) {
	offer := func() {
		p.addPrompt(state.NewImagePrompt(pic))
		p.note = state.Note{}
	}
	for _, r := range p.gallery {
		if len(s.IPAdapters)+len(s.InitImage) > 0 && toJSON(r.settings) == toJSON(s) {
			p.restoreResult(r)
			p.note = state.Note{Text: "Settings restored from " + pic.Name + ". Its pictures were in the gallery.", Action: "Use it as an image prompt as well", Do: offer}
			return
		}
	}
	if len(leftOut) > 0 && s.Model == "" {
		s.Model = p.m.chosen.ID // another program's picture: its model is among what is left out
	}
	if lacks := p.restore(s); lacks != "" {
		leftOut = append(leftOut, lacks)
	}
	text := "Settings restored from " + pic.Name + "."
	if len(leftOut) > 0 {
		text = "Settings restored from " + pic.Name + ", but for: " + strings.Join(leftOut, "; ") + "."
	}
	for i, a := range s.IPAdapters {
		if i < len(p.composer.Prompts) {
			take(p.composer.Prompts[i], a)
		}
	}
	if len(s.IPAdapters) > len(p.composer.Prompts) {
		text += " Add its image prompts again: a picture carries only their names."
	}
	p.note = state.Note{Text: text, Action: "Use it as an image prompt instead", Do: offer}
}

// restoreResult takes over a result's settings and its pictures.
func (p *page) restoreResult(r *result) {
	if lacks := p.restore(r.settings); lacks != "" {
		p.note = state.Note{Text: "Restored, but for " + lacks + "."}
	}
	p.ctx.Async(func() {
		pictures, err := p.picturesOf(r)
		prompts, start, startMask := []*state.ImagePrompt(nil), (*state.Picture)(nil), state.Mask{}
		s := r.settings
		for _, a := range s.IPAdapters {
			for _, wanted := range a.Images {
				if err != nil {
					break
				}
				var pic *state.Picture
				if pic, err = fromStore(pictures, wanted.Picture); err != nil {
					break
				}
				im := state.NewImagePrompt(pic)
				take(im, a)
				im.Crop = state.CropOf(wanted.Crop, pic.Width, pic.Height)
				if a.Mask != "" {
					im.Mask, err = maskFrom(pictures, a.Mask)
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
				p.note = state.Note{Text: "The settings are restored, but not their pictures: " + err.Error()}
				return
			}
			p.composer.Prompts, p.composer.Start, p.composer.StartMask = prompts, start, startMask
			p.force = true
			p.ctx.Defer(func(app.Context) { p.showCrops(); p.showMasks() })
		})
	})
}

// fromStore makes one of a result's pictures anew.
func fromStore(pictures map[string]js.Value, name string) (*state.Picture, error) {
	data, ok := pictures[name]
	if !ok {
		return nil, fmt.Errorf("%s is not kept here", name)
	}
	// compose put the prompt's number, or start, before the name.
	_, plain, _ := strings.Cut(name, "-")
	return admit(plain, blob(data, ""))
}

// take takes over an adapter's settings.
func take(im *state.ImagePrompt, a settings.IPAdapter) {
	im.Scale, im.Layers, im.Start, im.End, im.Adapter = a.Scale, a.Layers, a.Start, a.End, a.Weights
}
