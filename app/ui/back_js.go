//go:build js && wasm

package ui

import (
	"syscall/js"

	"github.com/imprompt/imprompt/app/state"
)

// atEntry marks the entry of the history that state.Back has.
const atEntry = "imprompt-open"

func history() js.Value { return js.Global().Get("history") }

// listenBack has the browser's way back close what is open over the page.
func (p *page) listenBack() {
	entered := func(value js.Value) bool { return value.Type() == js.TypeString && value.String() == atEntry }
	p.back.Entered = entered(history().Get("state"))
	on("popstate", func(e js.Value) {
		at := entered(e.Get("state"))
		p.loop.dispatch(func() {
			if p.back.Went(at) {
				p.closeTop()
			}
		})
	})
	capture("toggle", func(js.Value) { p.loop.dispatch(p.settleBack) })
}

// settleBack gives the way back something to close, or nothing any more.
func (p *page) settleBack() {
	switch p.back.Settle(p.floats()) {
	case state.BackEnter:
		history().Call("pushState", atEntry, "")
	case state.BackLeave:
		history().Call("back")
	}
}

// floats reports whether something is open over the page, or in the place of the stage.
func (p *page) floats() bool {
	return popover().Truthy() || unfolded() || p.library.Open || p.gallery.Lightbox || p.gallery.Opened || p.stage.Editing().What != ""
}

// closeTop closes what is open above the rest.
func (p *page) closeTop() {
	switch open := popover(); {
	case open.Truthy():
		open.Call("hidePopover")
	case fold():
	case p.library.Open:
		p.librarian.show(false)
	case p.viewer.done():
	case p.gallery.Lightbox:
		p.curator.close()
	case p.gallery.Opened:
		p.curator.open(false)
	}
}
