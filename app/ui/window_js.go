//go:build js && wasm

package ui

import "syscall/js"

// listen takes keys and files wherever on the page they arrive.
func (p *page) listen() {
	on("keydown", func(e js.Value) {
		switch {
		case e.Get("key").String() == "Enter" && (e.Get("ctrlKey").Bool() || e.Get("metaKey").Bool()):
			e.Call("preventDefault")
			p.loop.dispatch(p.generate)
		case e.Get("key").String() == "Escape" && !closeAbout():
			p.loop.dispatch(p.escape)
		}
	})
	on("paste", func(e js.Value) { p.intake.files(e.Get("clipboardData").Get("files")) })
	drag := func(over bool) func(js.Value) {
		return func(e js.Value) {
			e.Call("preventDefault")
			// A drag leaves every element that it crosses: only the window's edge counts.
			if over != p.dragged && (over || e.Get("relatedTarget").IsNull()) {
				p.loop.dispatch(func() { p.dragged = over })
			}
		}
	}
	on("dragover", drag(true))
	on("dragleave", drag(false))
	on("drop", p.drop)
	js.Global().Set("impromptBusy", js.FuncOf(func(js.Value, []js.Value) any { return p.jobs.Busy() || p.gallery.Keeping() }))
	on("imprompt-update", func(js.Value) { p.loop.dispatch(func() { p.update = true }) })
}

// escape closes what floats over the page, or else stops what is under way.
func (p *page) escape() {
	if p.library.Open {
		p.librarian.show(false)
		return
	}
	p.jobs.Stop()
}

// drop takes files: weights, a picture for the start picture if they were dropped on it, or image prompts.
func (p *page) drop(e js.Value) {
	e.Call("preventDefault")
	p.loop.dispatch(func() { p.dragged = false })
	if p.librarian.takeWeights(e.Get("dataTransfer")) {
		return
	}
	files := e.Get("dataTransfer").Get("files")
	if target := e.Get("target"); target.Get("closest").Truthy() && target.Call("closest", "#start").Truthy() {
		p.intake.start(files)
		return
	}
	p.intake.files(files)
}

// on listens to an event of the window, and may prevent what the browser would do. go-app's own handlers run too late
// for that.
func on(event string, f func(e js.Value)) {
	js.Global().Call("addEventListener", event, js.FuncOf(func(_ js.Value, args []js.Value) any {
		f(args[0])
		return nil
	}), map[string]any{"passive": false})
}
