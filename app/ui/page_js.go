//go:build js && wasm

// Package ui is the page: a go-app component that composes settings, sends them to the
// engine's worker and shows what comes back.
//
// What go-app asks of this package: it tells handlers apart by the place of their code,
// not by what they hold, so a handler that holds something which may change under its
// element has a scope (see key). It sets a control's value only when the value that was
// drawn last differs, so values are put into the controls by settle. And it compares
// children by their place, so what comes and goes in the middle stays there, hidden.
package ui

import (
	"fmt"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/ui/gallerystore"
)

// Run shows the page; it does not return.
func Run() {
	app.Route("/", func() app.Composer { return newPage() })
	app.RouteWithRegexp(".*", func() app.Composer { return newPage() })
	app.RunWhenOnBrowser()
}

// page is the whole of it: what was composed, what the engine is doing, what was made.
type page struct {
	app.Compo
	ctx app.Context

	composer *state.Composer
	note     state.Note       // what was done on the visitor's behalf
	dragged  bool             // a file is held over the page
	drag     func(e js.Value) // what the pointer moves, while it is down
	painting string           // the id of the mask that has the keyboard

	jobs      *state.Jobs
	engine    *engine
	library   *state.Library
	librarian *librarian
	gallery   *state.Gallery
	store     state.Store

	hideNotice bool // that the GPU is none
	update     bool // a new version of the site is ready
	theme      string
	canShare   bool

	values map[string]string // what controls shall show, by id
	force  bool              // even the one that has the keyboard
}

// newPage returns a page that can be drawn, which go-app does before it calls OnMount.
func newPage() *page {
	p := &page{composer: state.NewComposer(), jobs: &state.Jobs{}, gallery: &state.Gallery{}, store: gallerystore.Store{}}
	p.engine, p.librarian = &engine{page: p}, &librarian{page: p}
	p.library = state.NewLibrary(p.librarian)
	return p
}

func (p *page) OnMount(ctx app.Context) {
	p.ctx = ctx
	ctx.LocalStorage().Get("theme", &p.theme)
	p.applyTheme()
	p.canShare = canShare()
	p.listen()
	p.listenToPointers()
	p.update = js.Global().Get("impromptUpdate").Truthy()
	p.librarian.open()
	p.engine.start()
	ctx.Async(p.openGallery)
}

// listen takes keys and files wherever on the page they arrive.
func (p *page) listen() {
	on("keydown", func(e js.Value) {
		switch {
		case e.Get("key").String() == "Enter" && (e.Get("ctrlKey").Bool() || e.Get("metaKey").Bool()):
			e.Call("preventDefault")
			p.ctx.Dispatch(func(app.Context) { p.generate() })
		case e.Get("key").String() == "Escape":
			// What floats goes first, and only then what is under way.
			if closeAbout() {
				return
			}
			p.ctx.Dispatch(func(app.Context) {
				if p.library.Open {
					p.showModels(false)
					return
				}
				p.jobs.Stop()
			})
		}
	})
	on("paste", func(e js.Value) { p.takeFiles(e.Get("clipboardData").Get("files")) })
	drag := func(over bool) func(js.Value) {
		return func(e js.Value) {
			e.Call("preventDefault")
			// A drag leaves every element that it crosses: only the window's edge counts.
			if over != p.dragged && (over || e.Get("relatedTarget").IsNull()) {
				p.ctx.Dispatch(func(app.Context) { p.dragged = over })
			}
		}
	}
	on("dragover", drag(true))
	on("dragleave", drag(false))
	on("drop", func(e js.Value) {
		e.Call("preventDefault")
		p.ctx.Dispatch(func(app.Context) { p.dragged = false })
		if p.takeWeights(e.Get("dataTransfer")) {
			return
		}
		files := e.Get("dataTransfer").Get("files")
		if target := e.Get("target"); target.Get("closest").Truthy() && target.Call("closest", "#start").Truthy() {
			p.takeStart(files)
			return
		}
		p.takeFiles(files)
	})
	js.Global().Set("impromptBusy", js.FuncOf(func(js.Value, []js.Value) any { return p.jobs.Busy() || p.gallery.Keeping() }))
	on("imprompt-update", func(js.Value) { p.ctx.Dispatch(func(app.Context) { p.update = true }) })
}

// on listens to an event of the window, and may prevent what the browser would do:
// go-app's own handlers run too late for that.
func on(event string, f func(e js.Value)) {
	js.Global().Call("addEventListener", event, js.FuncOf(func(_ js.Value, args []js.Value) any {
		f(args[0])
		return nil
	}), map[string]any{"passive": false})
}

func byID(id string) js.Value { return js.Global().Get("document").Call("getElementById", id) }

// key tells go-app's handlers apart by what they hold.
func key(held any) app.EventOption { return app.EventScope(fmt.Sprintf("%p", held)) }

// named does so by a text.
func named(text string) app.EventOption { return app.EventScope(text) }

// bind says what a control shall show, and returns its id.
func (p *page) bind(id, value string) string {
	p.values[id] = value
	return id
}

// settle puts the values into the controls; the one that is being typed into is left
// alone, unless the values were restored from elsewhere.
func (p *page) settle(app.Context) {
	active := js.Global().Get("document").Get("activeElement")
	for id, value := range p.values {
		c := byID(id)
		if c.Truthy() && (p.force || !c.Equal(active)) && c.Get("value").String() != value {
			c.Set("value", value)
		}
	}
	p.force = false
}

func (p *page) applyTheme() {
	root := app.Window().Get("document").Get("documentElement")
	if p.theme == "" {
		root.Call("removeAttribute", "data-theme")
		return
	}
	root.Call("setAttribute", "data-theme", p.theme)
}

// switchTheme goes from the system's choice to light, dark and back.
func (p *page) switchTheme(ctx app.Context, _ app.Event) {
	p.theme = map[string]string{"": "light", "light": "dark", "dark": ""}[p.theme]
	ctx.LocalStorage().Set("theme", p.theme)
	p.applyTheme()
}
