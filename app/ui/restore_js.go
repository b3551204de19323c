//go:build js && wasm

package ui

import (
	"context"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/ui/blobs"
	"github.com/imprompt/imprompt/gpu/webapi"
)

// restored shows settings that came from elsewhere, also in the control that has the keyboard.
func (p *page) restored() {
	p.force = true
	p.countTokens()
	p.ctx.Defer(func(app.Context) { p.showCrops(); p.showMasks() })
}

// restoreFile takes over the settings that a dropped PNG carried. Its image prompts are not in it, but they are in
// the gallery if the picture was made here.
func (p *page) restoreFile(s settings.Settings, leftOut []string, pic *state.Picture) {
	offer := func() {
		p.addPrompt(state.NewImagePrompt(pic))
		p.note = state.Note{}
	}
	if r := p.gallery.Find(s); r != nil {
		p.restoreResult(r)
		p.note = state.Note{Text: "Settings restored from " + pic.Name + ". Its pictures were in the gallery.", Action: "Use it as an image prompt as well", Do: offer}
		return
	}
	if len(leftOut) > 0 && s.Model == "" {
		s.Model = p.library.Chosen.ID // another program's picture: its model is among what is left out
	}
	if lacks := p.library.Restore(s.Model); lacks != "" {
		leftOut = append(leftOut, lacks)
	}
	p.note = state.Note{Text: p.composer.RestoreFile(pic.Name, s, leftOut), Action: "Use it as an image prompt instead", Do: offer}
	p.restored()
}

// restoreResult takes over a result's settings and its pictures.
func (p *page) restoreResult(r *state.Result) {
	p.note = state.Note{}
	if lacks := p.library.Restore(r.Settings.Model); lacks != "" {
		p.note = state.Note{Text: "Restored, except for " + lacks + "."}
	}
	p.composer.Restore(r.Settings)
	p.restored()
	p.ctx.Async(func() {
		pictures, err := r.Pictures(p.store, browser{})
		p.ctx.Dispatch(func(app.Context) {
			if err != nil {
				p.note = state.Note{Text: "The settings are restored, but not their pictures: " + err.Error()}
				return
			}
			p.composer.RestorePictures(pictures)
			p.restored()
		})
	})
}

// browser decodes pictures for the states.
type browser struct{}

var _ state.Browser = browser{}

// Admit implements state.Browser.
func (browser) Admit(name string, bytes any) (*state.Picture, error) {
	return admit(name, blobs.New(bytes, ""))
}

// Bitmap implements state.Browser.
func (browser) Bitmap(png any) (any, error) {
	return webapi.Await(context.Background(), js.Global().Call("createImageBitmap", blobs.New(png, "image/png")))
}
