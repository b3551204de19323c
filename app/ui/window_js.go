//go:build js && wasm

package ui

import "syscall/js"

// listen takes keys and files wherever on the page they arrive.
func (p *page) listen() {
	on("keydown", func(e js.Value) {
		key, command := e.Get("key").String(), e.Get("ctrlKey").Truthy() || e.Get("metaKey").Truthy()
		switch {
		case key == "Enter" && command:
			e.Call("preventDefault")
			p.loop.dispatch(p.generate)
		case key == "Escape" && popover().Truthy(): // which the browser closes
		case key == "Escape" && !fold():
			typing := isTyping(e.Get("target"))
			p.loop.dispatch(func() { p.escape(typing) })
		case key == "?" && !isTyping(e.Get("target")):
			if d := byID(shortcutsID); d.Truthy() {
				d.Set("open", !d.Get("open").Bool())
			}
		case key == "z" && command && !isTyping(e.Get("target")) && !e.Get("defaultPrevented").Bool():
			e.Call("preventDefault")
			p.loop.dispatch(p.takeBack)
		}
	})
	p.outside()
	on("click", func(e js.Value) { // a sheet has done its work
		if sheet := popover(); sheet.Truthy() && inside(e, ".actions button") {
			sheet.Call("hidePopover")
		}
	})
	// What is unfolded in the composer is scrolled into view.
	capture("toggle", func(e js.Value) {
		if fold := e.Get("target"); inside(e, ".sheets details[open]") && fold.Call("contains", js.Global().Get("document").Get("activeElement")).Bool() {
			fold.Call("scrollIntoView", map[string]any{"block": "nearest"})
		}
	})
	on("visibilitychange", func(js.Value) {
		p.attention.Seen(js.Global().Get("document").Get("visibilityState").String() == "visible")
		p.title()
	})
	on("beforeunload", func(e js.Value) {
		// What is under way is taken up again, but from its beginning.
		if p.jobs.Busy() || p.gallery.Keeping() {
			e.Call("preventDefault")
			e.Set("returnValue", true)
		}
	})
	on("paste", func(e js.Value) {
		files := e.Get("clipboardData").Get("files")
		if js.Global().Get("document").Call("querySelector", "#structure[open]:is(:hover, :focus-within)").Truthy() {
			p.intake.structure(files)
			return
		}
		p.intake.files(files)
	})
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

// escape closes the drawer with the models, or ends what is edited on the stage or, unless the visitor is typing, stops
// what is under way.
func (p *page) escape(typing bool) {
	switch {
	case p.library.Open:
		p.librarian.show(false)
	case p.viewer.done():
	case p.gallery.Lightbox:
		p.curator.close()
	case !typing && p.gallery.Opened:
		p.curator.open(false)
	case !typing:
		p.jobs.Stop()
	}
}

// isTyping reports whether keys go into an element as text.
func isTyping(e js.Value) bool {
	switch e.Get("tagName").String() {
	case "TEXTAREA", "SELECT":
		return true
	case "INPUT":
		switch e.Get("type").String() {
		case "range", "checkbox", "file", "color":
			return false
		}
		return true
	}
	return false
}

// outside has a press outside of what floats over the page close it, and do nothing else.
func (p *page) outside() {
	swallow := func(e js.Value) {
		e.Call("preventDefault")
		e.Call("stopImmediatePropagation")
	}
	floating := func(e js.Value) (folds, models bool) {
		within := func(id string) bool {
			float := byID(id)
			return float.Truthy() && float.Call("contains", e.Get("target")).Bool()
		}
		for _, id := range folding {
			folds = folds || byID(id).Truthy() && byID(id).Get("open").Bool() && !within(id)
		}
		return folds, p.library.Open && !within("models")
	}
	dismissed := false // the press closed a popover, which the browser does before there is a click
	for _, event := range []string{"pointerdown", "mousedown"} {
		capture(event, func(e js.Value) {
			if event == "pointerdown" {
				open := popover()
				dismissed = open.Truthy() && !open.Call("contains", e.Get("target")).Bool() && !inside(e, "[popovertarget]")
			}
			if folds, models := floating(e); dismissed || folds || models {
				swallow(e)
			}
		})
	}
	capture("click", func(e js.Value) {
		if dismissed && e.Get("detail").Int() > 0 {
			dismissed = false
			swallow(e)
			return
		}
		// A click without a pointer comes from the keyboard, or from a label.
		folds, models := floating(e)
		if e.Get("detail").Int() == 0 || !folds && !models {
			return
		}
		swallow(e)
		if folds {
			fold()
		}
		if models {
			p.loop.dispatch(func() { p.librarian.show(false) })
		}
	})
}

// drop takes files: weights, a picture for the start picture or a map if they were dropped there, or image prompts.
func (p *page) drop(e js.Value) {
	e.Call("preventDefault")
	p.loop.dispatch(func() { p.dragged = false })
	if p.librarian.takeWeights(e.Get("dataTransfer")) {
		return
	}
	files := e.Get("dataTransfer").Get("files")
	switch {
	case inside(e, "#start"):
		p.intake.start(files)
	case inside(e, "#structure"):
		p.intake.structure(files)
	default:
		p.intake.files(files)
	}
}

// inside reports whether an event happened in an element that a selector finds, or below one.
func inside(e js.Value, selector string) bool {
	target := e.Get("target")
	return target.Get("closest").Truthy() && target.Call("closest", selector).Truthy()
}

// on listens to an event of the window, and may prevent what the browser would do. go-app's own handlers run too late
// for that.
func on(event string, f func(e js.Value)) { listen(event, false, f) }

// capture listens to an event of the window before anything else does.
func capture(event string, f func(e js.Value)) { listen(event, true, f) }

func listen(event string, capture bool, f func(e js.Value)) {
	js.Global().Call("addEventListener", event, js.FuncOf(func(_ js.Value, args []js.Value) any {
		f(args[0])
		return nil
	}), map[string]any{"passive": false, "capture": capture})
}
