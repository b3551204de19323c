//go:build js && wasm

package ui

import (
	"strconv"
	"strings"
	"syscall/js"

	"github.com/imprompt/imprompt/app/state"
)

const filmID = "film"

// film is how the gallery lies on the screen: which part of it is drawn, and what the pointer and keys do with it. It
// listens to the window, because go-app's own handlers would draw the whole page at every step of scrolling.
type film struct {
	gallery *state.Gallery
	curator *curator
	thumbs  *thumbs
	loop    *loop
	window  state.Window
	wanted  bool // it is about to be measured
	reveal  bool // the active picture is to be scrolled into view
}

func (f *film) listen() {
	capture("scroll", func(e js.Value) {
		if t := e.Get("target"); t.Get("id").Type() == js.TypeString && t.Get("id").String() == filmID {
			f.measure()
		}
	})
	on("resize", func(js.Value) { f.measure() })
	on("click", f.click)
	on("keydown", f.key)
}

// drawn measures the film once it has been drawn.
func (f *film) drawn() {
	if f.loop.ctx.Context == nil || f.wanted {
		return
	}
	f.wanted = true
	f.loop.drawn(func() {
		f.wanted = false
		f.measure()
	})
}

// along returns the names of what is measured along the way that the film is scrolled.
func (f *film) along() (offset, view, size string) {
	if f.gallery.Opened {
		return "scrollTop", "clientHeight", "offsetHeight"
	}
	return "scrollLeft", "clientWidth", "offsetWidth"
}

// measure takes how the film lies on the screen. If another part of it has to be drawn, that is done.
func (f *film) measure() {
	e := byID(filmID)
	if !e.Truthy() {
		return
	}
	tile := e.Call("querySelector", ".print")
	if !tile.Truthy() {
		return
	}
	offset, view, size := f.along()
	style := js.Global().Call("getComputedStyle", tile.Get("parentElement"))
	perLine := 1
	if f.gallery.Opened {
		perLine = len(strings.Fields(style.Get("gridTemplateColumns").String()))
	}
	gap, _ := strconv.ParseFloat(strings.TrimSuffix(js.Global().Call("getComputedStyle", e).Get("columnGap").String(), "px"), 64)
	if f.window.Look(e.Get(offset).Float(), e.Get(view).Float(), tile.Get(size).Float()+gap, perLine) {
		f.loop.dispatch(func() { f.gallery.Changes++ })
	}
	if f.reveal {
		f.reveal = false
		f.show(e)
	}
	f.thumbs.want(f.seen(e))
}

// show scrolls the film so that the active picture is seen.
func (f *film) show(e js.Value) {
	i := f.index(f.gallery.Active())
	if i < 0 {
		return
	}
	offset, view, _ := f.along()
	now := e.Get(offset).Float()
	if to := f.window.Offset(i, now, e.Get(view).Float()); to != now {
		e.Set(offset, to)
	}
}

func (f *film) index(r *state.Result) int {
	for i, one := range f.gallery.Listed() {
		if one == r {
			return i
		}
	}
	return -1
}

// seen lists the results that are drawn, those in the middle of the screen first.
func (f *film) seen(e js.Value) (list []*state.Result) {
	all := f.gallery.Listed()
	var slots [state.Slots][]*state.Result
	for slot := range state.Slots {
		from, to, place := f.window.Slot(slot, len(all))
		slots[place] = all[from:to]
	}
	offset, view, _ := f.along()
	first := f.window.At(e.Get(offset).Float() + e.Get(view).Float()/2)
	for _, place := range []int{first, first + 1, first - 1, first + 2, first - 2} {
		if place >= 0 && place < state.Slots {
			list = append(list, slots[place]...)
		}
	}
	return list
}

// at returns the result that an event is about, or nil.
func (f *film) at(e js.Value) *state.Result {
	tile := e.Get("target").Call("closest", "#"+filmID+" .print")
	if !tile.Truthy() {
		return nil
	}
	i, err := strconv.Atoi(strings.TrimPrefix(tile.Get("id").String(), tilePrefix))
	if list := f.gallery.Listed(); err == nil && i < len(list) {
		return list[i]
	}
	return nil
}

func (f *film) click(e js.Value) {
	if !e.Get("target").Get("closest").Truthy() {
		return
	}
	r := f.at(e)
	if r == nil {
		return
	}
	on := func(mark string) bool { return e.Get("target").Call("closest", ".mark."+mark).Truthy() }
	byID(filmID).Call("focus", map[string]any{"preventScroll": true})
	ctrl, shift := e.Get("ctrlKey").Bool() || e.Get("metaKey").Bool(), e.Get("shiftKey").Bool()
	f.loop.dispatch(func() {
		switch {
		case on("star"):
			f.curator.star([]*state.Result{r})
		case on("delete"):
			f.curator.remove([]*state.Result{r})
		case on("pick"):
			f.gallery.Toggle(r)
		default:
			f.curator.press(r, ctrl, shift)
		}
	})
}

// key takes keys while the film has the keyboard, and the arrows in the lightbox.
func (f *film) key(e js.Value) {
	name := e.Get("key").String()
	if f.gallery.Lightbox {
		if by := map[string]int{"ArrowRight": 1, "ArrowLeft": -1}[name]; by != 0 && !isTyping(e.Get("target")) && !inside(e, "#"+lineID) {
			f.loop.dispatch(func() { f.gallery.Step(by) })
			e.Call("preventDefault")
		}
		return
	}
	if e.Get("target").Get("id").Type() != js.TypeString || e.Get("target").Get("id").String() != filmID || e.Get("altKey").Bool() {
		return
	}
	ctrl := e.Get("ctrlKey").Bool() || e.Get("metaKey").Bool()
	if ctrl && name != "a" {
		return
	}
	switch what := f.gallery.Key(name, ctrl, e.Get("shiftKey").Bool(), f.window.Columns(), f.window.Lines()); what {
	case state.KeyUnknown:
		return
	case state.KeyStar:
		f.loop.dispatch(func() { f.curator.star(f.gallery.Targets()) })
	case state.KeyDelete:
		f.loop.dispatch(func() { f.curator.remove(f.gallery.Targets()) })
	default:
		f.reveal = true
		f.loop.dispatch(func() {
			f.gallery.Changes++
			f.curator.lit()
		})
	}
	e.Call("preventDefault")
	e.Call("stopImmediatePropagation")
}
