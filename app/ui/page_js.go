//go:build js && wasm

package ui

import (
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
	note     state.Note // what was done on the visitor's behalf
	dragged  bool       // a file is held over the page
	controls *controls
	canvases *canvases
	intake   *intake
	loop     *loop
	drawn    int // counts the drawings

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
}

// newPage returns a page that can be drawn, which go-app does before it calls OnMount.
func newPage() *page {
	p := &page{composer: state.NewComposer(), jobs: &state.Jobs{}, gallery: &state.Gallery{}, store: gallerystore.Store{}, controls: &controls{values: map[string]string{}}, loop: &loop{}}
	p.engine, p.librarian = &engine{page: p}, &librarian{page: p}
	p.library = state.NewLibrary(p.librarian)
	p.canvases = &canvases{composer: p.composer, loop: p.loop}
	p.intake = &intake{composer: p.composer, gallery: p.gallery, store: p.store, note: &p.note, controls: p.controls, canvases: p.canvases, loop: p.loop,
		model: func() string { return p.library.Chosen.ID }, restoreModel: p.library.Restore, countTokens: p.countTokens}
	return p
}

func (p *page) OnMount(ctx app.Context) {
	p.ctx, p.loop.ctx = ctx, ctx
	ctx.LocalStorage().Get("theme", &p.theme)
	p.applyTheme()
	p.canShare = canShare()
	p.listen()
	p.canvases.listen()
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
	on("paste", func(e js.Value) { p.intake.files(e.Get("clipboardData").Get("files")) })
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
			p.intake.start(files)
			return
		}
		p.intake.files(files)
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
