//go:build js && wasm

package ui

import (
	"encoding/base64"
	"fmt"
	"strings"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/gpu/webapi"
)

// paintMask draws a mask on a canvas of width × height pixels.
func paintMask(canvas js.Value, m *state.Mask, width, height int) {
	canvas.Set("width", width)
	canvas.Set("height", height)
	c := canvas.Call("getContext", "2d")
	c.Set("fillStyle", "#000")
	c.Call("fillRect", 0, 0, width, height)
	if m.Base != nil {
		c.Call("drawImage", m.Base, 0, 0, width, height)
	}
	c.Set("lineCap", "round")
	c.Set("lineJoin", "round")
	for _, l := range m.Lines(width, height) {
		c.Set("strokeStyle", map[bool]string{true: "#000", false: "#fff"}[l.Erase])
		c.Set("lineWidth", l.Width)
		c.Call("beginPath")
		c.Call("moveTo", l.Points[0][0], l.Points[0][1])
		for _, p := range l.Points[1:] {
			c.Call("lineTo", p[0], p[1])
		}
		c.Call("stroke")
	}
}

// maskPNG draws a mask as a PNG of width × height pixels, in a Uint8Array.
func maskPNG(m *state.Mask, width, height int) js.Value {
	canvas := js.Global().Get("document").Call("createElement", "canvas")
	paintMask(canvas, m, width, height)
	_, data, _ := strings.Cut(canvas.Call("toDataURL", "image/png").String(), ",")
	b, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		panic(err) // toDataURL's own form
	}
	return webapi.BytesOf(b)
}

// masks are all that can be painted, by the id of their canvas.
func (p *page) masks() map[string]*state.Mask {
	all := map[string]*state.Mask{"mask-start": &p.composer.StartMask}
	for i, im := range p.composer.Prompts {
		all["mask-"+cropID(i)] = &im.Mask
	}
	return all
}

func (p *page) showMasks() {
	for id, m := range p.masks() {
		canvas := byID(id)
		if !canvas.Truthy() {
			continue
		}
		paintMask(canvas, m, p.composer.Settings.Width, p.composer.Settings.Height)
		if p.painting == id {
			paintCursor(canvas, m, p.composer.Settings.Width, p.composer.Settings.Height)
		}
	}
}

// paintCursor shows where the keyboard's brush is.
func paintCursor(canvas js.Value, m *state.Mask, width, height int) {
	c := canvas.Call("getContext", "2d")
	x, y, radius := m.Ring(width, height)
	for i, colour := range []string{"#000", "#fff"} {
		c.Set("strokeStyle", colour)
		c.Set("lineWidth", float64(2-i))
		c.Call("beginPath")
		c.Call("arc", x, y, radius, 0, 7)
		c.Call("stroke")
	}
}

// dragMask begins a stroke at the pointer and follows it.
func (p *page) dragMask(m *state.Mask, canvas, e js.Value) {
	at := func(e js.Value) [2]float64 {
		r := canvas.Call("getBoundingClientRect")
		return [2]float64{(e.Get("clientX").Float() - r.Get("left").Float()) / r.Get("width").Float(),
			(e.Get("clientY").Float() - r.Get("top").Float()) / r.Get("height").Float()}
	}
	m.Begin(at(e))
	p.showMasks()
	p.drag = func(e js.Value) {
		m.Extend(at(e))
		p.showMasks()
	}
}

// maskControls are the canvas, over a picture if there is one, and its tools.
func (p *page) maskControls(id, label, hint string, m *state.Mask, under string) app.UI {
	redraw := func() { p.ctx.Defer(func(app.Context) { p.showMasks() }) }
	tool := func(text string, pressed bool, do func()) app.UI {
		return app.Button().Class("plain small").Aria("pressed", fmt.Sprint(pressed)).Text(text).
			OnClick(func(app.Context, app.Event) { do(); redraw() }, key(m))
	}
	act := func(text string, off bool, do func()) app.UI {
		return app.Button().Class("plain small").Disabled(off).Text(text).
			OnClick(func(app.Context, app.Event) { do(); redraw() }, key(m))
	}
	return app.Details().Class("more").Body(
		app.Summary().Text(label).OnClick(func(app.Context, app.Event) { redraw() }),
		app.P().Class("quiet").Text(hint),
		app.Div().Class("frame").Body(
			app.Canvas().ID(id).Class("mask").TabIndex(0).Role("img").
				Aria("label", label).Aria("description", "Arrow keys move the brush, with Shift they paint, Space sets a dab, Control and Z takes it back."),
			app.Img().Class("under").Src(under).Role("presentation").Hidden(under == ""),
		),
		app.Div().Class("tools").Body(
			tool("Brush", !m.Erase, func() { m.Erase = false }),
			tool("Eraser", m.Erase, func() { m.Erase = true }),
			act("Undo", m.Empty(), m.Undo),
			act("All", false, m.All),
		),
		app.Div().Class("field").Body(
			app.Label().For(id+"-brush").Text("Brush size"),
			app.Input().ID(p.bind(id+"-brush", trim(m.Width()))).Type("range").Min("0.02").Max("0.5").Step(0.01).
				OnInput(func(ctx app.Context, _ app.Event) { m.Brush = number(ctx, m.Brush) }, key(m)),
		),
	)
}
