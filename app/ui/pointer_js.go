//go:build js && wasm

package ui

import (
	"syscall/js"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// listenToPointers lets crops and masks be worked on their pictures themselves, with
// pointer, wheel and keys. These listeners are the window's, because they must answer
// while the event lasts.
func (p *page) listenToPointers() {
	on("pointerdown", func(e js.Value) {
		canvas := e.Get("target")
		if e.Get("button").Int() != 0 || canvas.Get("tagName").String() != "CANVAS" {
			return
		}
		if im := p.cropOn(canvas); im != nil {
			p.dragCrop(im, canvas, e)
		} else if m := p.masks()[canvas.Get("id").String()]; m != nil {
			p.dragMask(m, canvas, e)
		} else {
			return
		}
		// So that the canvas has the keys from now on, and the pointer beyond its edge.
		canvas.Call("focus", map[string]any{"preventScroll": true})
		canvas.Call("setPointerCapture", e.Get("pointerId"))
		e.Call("preventDefault")
	})
	on("pointermove", func(e js.Value) {
		if p.drag != nil {
			p.drag(e)
		}
	})
	end := func(js.Value) {
		if p.drag != nil {
			p.drag = nil
			p.ctx.Dispatch(func(app.Context) {})
		}
	}
	on("pointerup", end)
	on("pointercancel", end)

	var scrolled time.Time
	on("wheel", func(e js.Value) {
		im := p.cropOn(e.Get("target"))
		// Who scrolls the composer past a picture does not mean to zoom it.
		if im == nil || time.Since(scrolled) < 300*time.Millisecond {
			scrolled = time.Now()
			return
		}
		e.Call("preventDefault")
		pixels := e.Get("deltaY").Float()
		if e.Get("deltaMode").Int() != 0 { // lines or pages
			pixels *= 40
		}
		im.Crop.Scroll(pixels)
		p.cropped()
	})
	on("keydown", func(e js.Value) {
		canvas, name := e.Get("target"), e.Get("key").String()
		if canvas.Get("tagName").String() != "CANVAS" || e.Get("ctrlKey").Bool() && name != "z" || e.Get("metaKey").Bool() {
			return
		}
		done := false
		if im := p.cropOn(canvas); im != nil {
			if done = im.Crop.Key(name); done {
				p.cropped()
			}
		} else if m := p.masks()[canvas.Get("id").String()]; m != nil {
			if done = m.Key(name, e.Get("shiftKey").Bool(), e.Get("ctrlKey").Bool()); done {
				p.showMasks()
				p.ctx.Dispatch(func(app.Context) {})
			}
		}
		if done {
			e.Call("preventDefault")
		}
	})
	focus := func(e js.Value) {
		id := ""
		if active := js.Global().Get("document").Get("activeElement"); active.Truthy() && e.Get("type").String() == "focusin" {
			id = active.Get("id").String()
		}
		if _, ok := p.masks()[id]; ok || p.painting != "" {
			p.painting = id
			p.showMasks()
		}
	}
	on("focusin", focus)
	on("focusout", focus)
}
