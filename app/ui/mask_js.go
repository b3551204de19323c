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

// maskPanel is where a mask is painted: its canvas, over a picture if there is one, and the tools.
type maskPanel struct {
	app.Compo
	Drawn    int
	ID       string // of the canvas
	Label    string
	Hint     string
	Under    string // the URL of the picture beneath; "" for none
	Fit      string // how it lies there: "cover", "contain" or "fill"; "" is "fill"
	Map      bool   // what is painted on is a map: white and black, rather than a mask
	controls *controls
	canvases *canvases
}

func (t *maskPanel) Render() app.UI {
	m := t.canvases.mask(t.ID)
	brush, eraser := "Brush", "Eraser"
	if t.Map {
		brush, eraser = "White", "Black"
	}
	button := func(text string, do func()) app.HTMLButton {
		return app.Button().Class("plain small").Text(text).OnClick(func(app.Context, app.Event) { do(); t.canvases.paintLater() }, key(m))
	}
	return app.Details().Class("more").Body(
		app.Summary().Text(t.Label).OnClick(func(app.Context, app.Event) { t.canvases.paintLater() }),
		app.P().Class("quiet").Text(t.Hint),
		app.Div().Class("frame").Body(
			app.Canvas().ID(t.ID).Class("mask").TabIndex(0).Role("img").
				Aria("label", t.Label).Aria("description", "Arrow keys move the brush, with Shift they paint, Space sets a dab, Control and Z takes it back."),
			app.Img().Class("under "+t.Fit).Src(t.Under).Role("presentation").Hidden(t.Under == ""),
		),
		app.Div().Class("tools").Body(
			button(brush, func() { m.Erase = false }).Aria("pressed", fmt.Sprint(!m.Erase)),
			button(eraser, func() { m.Erase = true }).Aria("pressed", fmt.Sprint(m.Erase)),
			button("Undo", m.Undo).Disabled(!m.CanUndo()),
			button("All", m.All).Hidden(t.Map),
		),
		app.Div().Class("field").Body(
			app.Label().For(t.ID+"-brush").Text("Brush size"),
			app.Input().ID(t.controls.bind(t.ID+"-brush", trim(m.Width()))).Type("range").Min("0.02").Max("0.5").Step(0.01).
				OnInput(func(ctx app.Context, _ app.Event) { m.Brush = number(ctx, m.Brush) }, key(m)),
		),
	)
}

// paintMask draws a mask on a canvas of width × height pixels.
func paintMask(canvas js.Value, m *state.Mask, width, height int) {
	canvas.Set("width", width)
	canvas.Set("height", height)
	c := canvas.Call("getContext", "2d")
	c.Set("fillStyle", "#000")
	c.Call("fillRect", 0, 0, width, height)
	if m.Base != nil {
		c.Call("drawImage", m.Base.Bitmap, 0, 0, width, height)
	}
	c.Set("lineCap", "round")
	c.Set("lineJoin", "round")
	for _, l := range m.Lines(width, height) {
		c.Set("strokeStyle", map[bool]string{true: "#000", false: "#fff"}[l.Erase])
		c.Set("lineWidth", l.Width)
		c.Call("beginPath")
		c.Call("moveTo", l.Points[0][0], l.Points[0][1])
		for _, p := range l.Points[1:] {
			c.Call("lineTo", p[0]+0.01, p[1]) // a line without a length is not drawn
		}
		c.Call("stroke")
	}
}

// paintBrush shows where the keyboard's brush is.
func paintBrush(canvas js.Value, m *state.Mask, width, height int) {
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

// maskPNG draws a mask as a PNG of width × height pixels.
func maskPNG(m *state.Mask, width, height int) webapi.Bytes {
	canvas := js.Global().Get("document").Call("createElement", "canvas")
	paintMask(canvas, m, width, height)
	_, data, _ := strings.Cut(canvas.Call("toDataURL", "image/png").String(), ",")
	b, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		panic(err) // toDataURL's own form
	}
	return webapi.BytesOf(b)
}
