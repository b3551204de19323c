//go:build js && wasm

package ui

import (
	"context"
	"syscall/js"
	"time"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/app/ui/blobs"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/web"
)

// librarian is what the library of models needs of the page and the browser.
type librarian struct {
	page   *page
	worker js.Value
}

var _ state.Outside = (*librarian)(nil)

// open takes up what an earlier visit left.
func (l *librarian) open() {
	p, kept := l.page, l.page.ctx.LocalStorage()
	kept.Get("licences", &p.library.Accepted)
	kept.Get("mirror", &p.library.Base)
	kept.Get("model", &p.library.Chosen)
	p.composer.SuitModel(p.library.Chosen.TrainedFor())
	kept.Get("deleted", &p.library.Deleted)
	kept.Get("fetch", &p.library.Fetching)
	p.loop.beside(func() func() {
		c, err := fetchCatalogue()
		return func() {
			if err == nil { // else the panel of models says what is wrong with it
				p.library.OfferCatalogue(c)
			}
		}
	})
	// A first visit has no use for a second worker.
	var any bool
	kept.Get("models", &any)
	p.ctx.SessionStorage().Get("downloads", &p.library.Interrupted)
	if any || len(p.library.Interrupted) > 0 {
		l.StartLibrary()
	}
}

// StartLibrary implements state.Outside.
func (l *librarian) StartLibrary() {
	if l.worker.Truthy() {
		return
	}
	library := l.page.library
	l.worker = startWorker(l.page.ctx, "library", library.Receive, library.Died)
	library.Connect(protocol.NewLine(func(m protocol.Message) { protocol.Post(l.worker, m) }))
}

// ModelChosen implements state.Outside.
func (l *librarian) ModelChosen(c state.Choice) {
	p := l.page
	delete(p.composer.Problems, state.AtGo)
	p.composer.SuitModel(c.TrainedFor())
	p.load()
	p.countTokens()
}

// load has the engine load the chosen model with the chosen VAE, unless it has.
func (p *page) load() {
	l, ok := p.library.ToLoad(p.composer.Settings)
	if ok && l != p.jobs.Loaded() && len(p.library.Handles(settings.Settings{Model: l.Model, VAE: l.VAE})) == 0 { // else the visitor's leave is asked for by Generate
		p.jobs.Load(l)
	}
}

// Use implements state.Outside.
func (l *librarian) Use(kind loader.Kind, id string) {
	c, panel := l.page.composer, "styles"
	switch kind {
	case loader.KindLoRA:
		c.AddLoRA(id)
	case loader.KindVAE:
		c.Settings.VAE, panel = id, "settings"
		l.page.load()
	}
	openPanel(panel)
}

// RecordDeleted implements state.Outside.
func (l *librarian) RecordDeleted() { l.page.jobs.Deleted() }

// Remember implements state.Outside.
func (l *librarian) Remember(key string, value any) { l.page.ctx.LocalStorage().Set(key, value) }

// RememberDownloads implements state.Outside.
func (l *librarian) RememberDownloads(records []string) {
	l.page.ctx.SessionStorage().Set("downloads", records)
}

// fetchCatalogue reads what the page offers.
func fetchCatalogue() (c loader.Catalogue, err error) {
	b, err := fetchBlob("web/catalogue.json")
	if err != nil {
		return c, err
	}
	text, err := blobs.Bytes(b)
	if err != nil {
		return c, err
	}
	return loader.ParseCatalogue(webapi.GoBytes(text))
}

// Arrived implements state.Outside.
func (l *librarian) Arrived(g state.Group) {
	p := l.page
	delete(p.composer.Problems, state.AtGo)
	p.composer.Lacking = nil
	p.composer.Suit(g, p.library)
	p.load()
	p.note = state.Note{Text: texts.F("%s: all of it is here, and is used from now on.", g.Name)}
	p.done(texts.T("Ready"), p.note.Text)
}

// Later implements state.Outside.
func (l *librarian) Later(wait time.Duration, do func()) { l.page.loop.later(wait, do) }

// PersistStorage implements state.Outside.
func (l *librarian) PersistStorage() { askStorage(l.page.loop, "persist", l.page.library.Persisted) }

// structureOpened gets what the Structure card needs: what is stored and offered, or the ControlNet of the model that
// ships, which the service worker then stores.
func (l *librarian) structureOpened() {
	switch {
	case l.page.library.Chosen.ID != "":
		l.StartLibrary()
	case web.Ships.ControlNet != "":
		l.page.loop.beside(func() func() {
			// In a first visit the service worker may not be there yet.
			if worker := js.Global().Get("navigator").Get("serviceWorker"); worker.Truthy() {
				_, _ = webapi.Await(context.Background(), worker.Get("ready"))
			}
			for _, file := range []string{"config.json", "diffusion_pytorch_model.safetensors"} {
				_, _ = fetchBlob("web/model/controlnet/" + file) // if that fails, drawing says so
			}
			return func() {}
		})
	}
}

// show opens or closes the panel, and gives it the keyboard.
func (l *librarian) show(open bool) {
	l.page.library.Show(open)
	if open {
		l.page.loop.drawn(func() {
			if panel := byID("models"); panel.Truthy() {
				panel.Call("focus")
			}
		})
	}
}
