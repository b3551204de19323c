//go:build js && wasm

package ui

import (
	"fmt"
	"strconv"
	"syscall/js"
	"time"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/ui/blobs"
)

// viewer places what is in the view of the stage, and moves it with the pointer, two fingers, the wheel and keys. As
// canvases does, it listens to the window.
//
// The site's Content-Security-Policy allows no style attributes, so what is placed is placed by CSS variables.
type viewer struct {
	stage    *state.Stage
	composer *state.Composer
	gallery  *state.Gallery
	jobs     *state.Jobs
	store    state.Store
	canvases *canvases
	loop     *loop

	placed  map[string]string          // what place has set on the view; nil before the first time
	opener  js.Value                   // what had the keyboard when an edit began
	follow  func(e js.Value)           // moves what the pointer holds, while it is down
	fingers map[int][2]float64         // where they are on the view
	swipe   func(e js.Value)           // ends a swipe through the lightbox, when the finger is lifted
	drawn   struct{ fits, crisp bool } // as the bar was drawn last

	startOf  *state.Result // whose start picture startURL is
	startURL string        // "" while it is read
}

const (
	viewID    = "view"
	lineID    = "line"
	percentID = "view-percent"
)

// place puts everything in its place. It is called after each drawing, and when the stage or what is on it has another
// size.
func (v *viewer) place() {
	view := byID(viewID)
	if !view.Truthy() || view.Get("hidden").Bool() {
		return
	}
	s := v.stage
	if v.placed == nil {
		v.placed = map[string]string{}
		// The size is read when it changes. To read it after each drawing would have the browser lay the page out at once.
		measure := func() { s.View.Resize(view.Get("clientWidth").Float(), view.Get("clientHeight").Float()) }
		measure()
		js.Global().Get("ResizeObserver").New(js.FuncOf(func(js.Value, []js.Value) any {
			if !view.Get("hidden").Bool() {
				measure()
				v.place()
			}
			return nil
		})).Call("observe", view)
	}
	whole := view.Call("querySelector", ".whole")
	width, height := sizeOf(whole)
	if width > 0 {
		s.View.Show(width, height)
	}
	s.View.Added(v.added())
	x, y, scale := s.View.Placed()
	change := func(name, value string, set func()) {
		if v.placed[name] != value {
			v.placed[name] = value
			set()
		}
	}
	set := func(name string, value float64, unit string) {
		text := fmt.Sprintf("%.3f%s", value, unit)
		change(name, text, func() { view.Get("style").Call("setProperty", name, text) })
	}
	mark := func(name string, on bool) {
		change(name, strconv.FormatBool(on), func() { view.Get("dataset").Set(name, on) })
	}
	set("--width", width, "px")
	set("--height", height, "px")
	set("--x", x, "px")
	set("--y", y, "px")
	set("--scale", scale, "")
	borders := v.inset()
	set("--inset-left", float64(borders.Left), "px")
	set("--inset-top", float64(borders.Top), "px")
	set("--inset-right", float64(borders.Right), "px")
	set("--inset-bottom", float64(borders.Bottom), "px")
	left, right := s.View.Seen()
	at := left + s.Compare.Line*(right-left)
	set("--line", at, "px")
	set("--before", (at-x)/scale, "px")
	if m := s.Editing().Mask(v.composer); m != nil {
		mark("empty", m.Empty())
		set("--ring", m.Width()*min(width, height)*scale, "px")
		set("--ring-x", x+m.Cursor[0]*width*scale, "px")
		set("--ring-y", y+m.Cursor[1]*height*scale, "px")
	}
	mark("beyond", s.View.Beyond())
	mark("crisp", s.Crisp())
	if percent := byID(percentID); percent.Truthy() {
		percent.Set("textContent", s.View.Percent())
	}
	now := struct{ fits, crisp bool }{s.View.Fits(), s.Crisp()}
	if now != v.drawn {
		v.drawn = now
		v.loop.dispatch(func() {}) // the bar's buttons say so
	}
}

// inset returns what is painted around the start picture that is shown: the one that is edited, or that of a result.
func (v *viewer) inset() (b settings.Borders) {
	shown := state.OnStage(v.gallery, v.jobs)
	switch {
	case v.stage.Editing().What == state.EditBorders:
		b = v.composer.Settings.Outpaint
	case shown != nil && v.stage.Compare.With.Result == nil:
		b = shown.Settings.Outpaint
	}
	return b
}

// sizeOf returns the size of a picture or a canvas in its own pixels; 0 before it is loaded.
func sizeOf(e js.Value) (width, height float64) {
	switch {
	case !e.Truthy():
		return 0, 0
	case e.Get("tagName").String() == "CANVAS":
		return e.Get("width").Float(), e.Get("height").Float()
	}
	return e.Get("naturalWidth").Float(), e.Get("naturalHeight").Float()
}

// look changes the view and shows it.
func (v *viewer) look(change func(*state.View)) {
	change(&v.stage.View)
	v.place()
}

// where returns the place of an event on the view.
func where(e js.Value) (x, y float64) {
	r := byID(viewID).Call("getBoundingClientRect")
	return e.Get("clientX").Float() - r.Get("left").Float(), e.Get("clientY").Float() - r.Get("top").Float()
}

// listen is called before canvases.listen, because a second finger ends what the first one paints.
func (v *viewer) listen() {
	v.fingers = map[int][2]float64{}
	on("pointerdown", v.pointerDown)
	on("pointermove", v.pointerMove)
	end := func(e js.Value) {
		delete(v.fingers, e.Get("pointerId").Int())
		if v.follow != nil {
			v.letGo()
			v.loop.dispatch(func() {})
		}
	}
	on("pointerup", func(e js.Value) {
		if v.swipe != nil {
			v.swipe(e)
		}
		v.swipe = nil
		end(e)
	})
	on("pointercancel", func(e js.Value) {
		v.swipe = nil
		end(e)
	})
	var scrolled time.Time
	on("wheel", func(e js.Value) {
		// A visitor who scrolls the page past the stage does not mean to zoom.
		if !inside(e, "#"+viewID) || time.Since(scrolled) < 300*time.Millisecond {
			scrolled = time.Now()
			return
		}
		if v.stage.Editing().Crop() != nil {
			return
		}
		e.Call("preventDefault")
		x, y := where(e)
		v.look(func(view *state.View) { view.Wheel(wheeled(e), e.Get("ctrlKey").Bool(), x, y) })
	})
	on("dblclick", func(e js.Value) {
		if inside(e, "#"+viewID) && v.stage.Editing().What == "" && !inside(e, "#"+lineID) {
			x, y := where(e)
			v.look(func(view *state.View) { view.Toggle(x, y) })
		}
	})
	// A picture that can be moved is not dragged out of the page.
	on("dragstart", func(e js.Value) {
		if inside(e, "#"+viewID) && (v.stage.View.Beyond() || v.stage.Compare.On || v.stage.Editing().What != "") {
			e.Call("preventDefault")
		}
	})
	capture("load", func(e js.Value) {
		if inside(e, "#"+viewID) {
			v.place()
		}
	})
	on("fullscreenchange", func(js.Value) { v.loop.dispatch(func() {}) })
}

// wheeled returns by how many pixels an event scrolls.
func wheeled(e js.Value) float64 {
	pixels := e.Get("deltaY").Float()
	if e.Get("deltaMode").Int() != 0 { // lines or pages
		pixels *= 40
	}
	return pixels
}

func (v *viewer) pointerDown(e js.Value) {
	if !inside(e, "#"+viewID) {
		return
	}
	x, y := where(e)
	button := e.Get("button").Int()
	if e.Get("pointerType").String() == "touch" {
		v.fingers[e.Get("pointerId").Int()] = [2]float64{x, y}
		if len(v.fingers) > 1 {
			v.letGo()
			v.swipe = nil
			v.canvases.giveUp()
			e.Call("preventDefault")
			e.Call("stopImmediatePropagation")
			return
		}
	}
	switch edge := edgeOf(e.Get("target")); {
	case edge != 0 && button == 0:
		v.pull(e, edge)
	case inside(e, "#"+lineID) && button == 0:
		v.hold(e, byID(lineID), v.dragLine)
	case button == 1, button == 0 && v.stage.Editing().What == "" && v.stage.View.Beyond():
		v.hold(e, byID(viewID), func(e js.Value) {
			nx, ny := where(e)
			v.look(func(view *state.View) { view.Pan(nx-x, ny-y) })
			x, y = nx, ny
		})
	case v.gallery.Lightbox && v.stage.Editing().What == "" && e.Get("pointerType").String() == "touch":
		v.swipe = func(e js.Value) {
			toX, toY := where(e)
			if by := state.Swipe(toX-x, toY-y); by != 0 {
				v.loop.dispatch(func() { v.gallery.Step(by) })
			}
		}
	}
}

// hold follows the pointer until it is up, with an element that gets the keys.
func (v *viewer) hold(e, element js.Value, follow func(e js.Value)) {
	v.follow = follow
	element.Call("focus", map[string]any{"preventScroll": true})
	element.Call("setPointerCapture", e.Get("pointerId"))
	e.Call("preventDefault")
}

// letGo ends what the pointer holds.
func (v *viewer) letGo() {
	v.follow = nil
	v.stage.View.Release()
}

func (v *viewer) dragLine(e js.Value) {
	x, _ := where(e)
	left, right := v.stage.View.Seen()
	v.stage.Compare.Move((x - left) / max(1, right-left))
	v.place()
}

func (v *viewer) pointerMove(e js.Value) {
	id := e.Get("pointerId").Int()
	if before, ok := v.fingers[id]; ok {
		x, y := where(e)
		if len(v.fingers) == 2 {
			for other, at := range v.fingers {
				if other != id && v.stage.Editing().Crop() == nil {
					v.look(func(view *state.View) { view.Pinch([2][2]float64{before, at}, [2][2]float64{{x, y}, at}) })
				}
			}
		}
		v.fingers[id] = [2]float64{x, y}
	}
	if v.follow != nil {
		v.follow(e)
	}
}

// listenKeys is called after canvases.listen, because a crop or a mask that has the keyboard comes first.
func (v *viewer) listenKeys() { on("keydown", v.keyDown) }

// keyDown takes the keys of the stage, unless something else has taken them or they are text.
func (v *viewer) keyDown(e js.Value) {
	target, name := e.Get("target"), e.Get("key").String()
	free := target.Equal(js.Global().Get("document").Get("body")) || inside(e, "#stage")
	if e.Get("defaultPrevented").Bool() || isTyping(target) || e.Get("altKey").Bool() || inside(e, ".float, .models") {
		return
	}
	control := e.Get("ctrlKey").Bool() || e.Get("metaKey").Bool()
	arrow := len(name) > 5 && name[:5] == "Arrow"
	view := byID(viewID)
	edge, borders := edgeOf(target), v.stage.Editing().What == state.EditBorders
	switch m := v.stage.Editing().Mask(v.composer); {
	case edge != 0 && !control && v.composer.PullKey(edge, name, e.Get("shiftKey").Bool()):
		v.loop.dispatch(func() {})
	case borders && control && name == "z" && v.composer.CanUndoBorders():
		v.composer.UndoBorders()
		v.loop.dispatch(func() {})
	case target.Get("id").String() == lineID && !control && v.stage.Compare.Key(name):
		v.loop.dispatch(v.place)
	case m != nil && free && !arrow && name != " " && (!control || m.CanUndo() || m.CanRedo()) && m.Key(name, e.Get("shiftKey").Bool(), control):
		v.canvases.changed()
	case control || !view.Truthy() || view.Get("hidden").Bool():
		return
	case name == "f" && canFull():
		v.full()
	case name == "c" && v.stage.Editing().What == "":
		v.loop.dispatch(v.stage.Compare.Toggle)
	case v.stage.Editing().Crop() != nil, arrow && (!free || target.Get("type").String() == "range"):
		return
	case v.stage.View.Key(name):
		v.place()
	default:
		return
	}
	e.Call("preventDefault")
}

// edit begins or ends to edit something on the stage.
func (v *viewer) edit(e state.Editing) {
	before := v.stage.Editing().What
	active := js.Global().Get("document").Get("activeElement")
	v.stage.Edit(e, state.OnStage(v.gallery, v.jobs))
	v.loop.drawn(func() {
		v.canvases.paint()
		v.place()
		first := byID(editID)
		if e.What == state.EditBorders {
			first = byID(edgeID(state.Right))
		}
		if first.Truthy() && v.stage.Editing().What != "" {
			if before == "" {
				v.opener = active
			}
			first.Call("focus", map[string]any{"preventScroll": true})
			v.reveal()
		}
	})
}

// done ends what is edited, and reports whether anything was. What began it gets the keyboard back.
func (v *viewer) done() bool {
	if !v.stage.Done() {
		return false
	}
	v.loop.drawn(func() {
		if v.opener.Truthy() && v.opener.Get("isConnected").Bool() {
			v.opener.Call("focus", map[string]any{"preventScroll": true})
		}
		v.opener = js.Undefined()
	})
	return true
}

// reveal scrolls the stage into view: on a phone it may be far above.
func (v *viewer) reveal() {
	if stage := byID("stage"); stage.Call("getBoundingClientRect").Get("top").Float() < 0 {
		stage.Call("scrollIntoView")
	}
}

// canFull reports whether the browser can show the stage on the whole screen.
func canFull() bool { return js.Global().Get("document").Get("fullscreenEnabled").Truthy() }

func isFull() bool { return js.Global().Get("document").Get("fullscreenElement").Truthy() }

// full shows the stage on the whole screen, or not any more.
func (v *viewer) full() {
	ignore := js.FuncOf(func(js.Value, []js.Value) any { return nil }) // the browser may refuse
	if isFull() {
		js.Global().Get("document").Call("exitFullscreen").Call("catch", ignore)
		return
	}
	byID("stage").Call("requestFullscreen").Call("catch", ignore)
}

// before returns where the picture that is compared is shown from, and how it lies there; "" if there is none.
func (v *viewer) before() (url, fit string) {
	c, shown := v.stage.Compare, state.OnStage(v.gallery, v.jobs)
	switch {
	case !c.On || shown == nil || c.With.Label == "":
		return "", ""
	case c.With.Result != nil:
		return c.With.Result.URL, "contain"
	}
	if v.startOf != shown {
		v.readStart(shown)
	}
	return v.startURL, fits[shown.Settings.ResizeMode]
}

// readStart reads the start picture of a result.
func (v *viewer) readStart(r *state.Result) {
	if v.startURL != "" {
		blobs.Revoke(v.startURL)
	}
	v.startOf, v.startURL = r, ""
	v.loop.beside(func() func() {
		inputs, _ := r.ReadInputs(v.store) // what cannot be read is not shown
		return func() {
			if data := inputs[r.Settings.InitImage]; data != nil && v.startOf == r {
				v.startURL = blobs.URL(blobs.New(data, ""))
			}
		}
	})
}
