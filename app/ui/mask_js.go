//go:build js && wasm && !cli

package ui

import (
	"encoding/base64"
	"strings"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// mask is painted over the result's frame: white where something applies.
type mask struct {
	strokes []stroke
	erase   bool
	brush   float64 // width, as a part of the frame's shorter side
	drawing bool
}

type stroke struct {
	erase  bool
	brush  float64
	points [][2]float64 // 0 to 1
}

func (m *mask) empty() bool { return m == nil || len(m.strokes) == 0 }

// paint draws the mask on a canvas of so many pixels.
func (m *mask) paint(canvas js.Value, width, height int) {
	canvas.Set("width", width)
	canvas.Set("height", height)
	c := canvas.Call("getContext", "2d")
	c.Set("fillStyle", "#000")
	c.Call("fillRect", 0, 0, width, height)
	c.Set("lineCap", "round")
	c.Set("lineJoin", "round")
	for _, s := range m.strokes {
		c.Set("strokeStyle", map[bool]string{true: "#000", false: "#fff"}[s.erase])
		c.Set("lineWidth", s.brush*float64(min(width, height)))
		c.Call("beginPath")
		for i, p := range s.points {
			x, y := p[0]*float64(width), p[1]*float64(height)
			if i == 0 {
				c.Call("moveTo", x, y)
			}
			c.Call("lineTo", x, y)
		}
		c.Call("stroke")
	}
}

// png is the mask as a picture of the result's size.
func (m *mask) png(width, height int) []byte {
	canvas := js.Global().Get("document").Call("createElement", "canvas")
	m.paint(canvas, width, height)
	_, data, _ := strings.Cut(canvas.Call("toDataURL", "image/png").String(), ",")
	b, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		panic(err) // toDataURL's own form
	}
	return b
}

// masks are all that can be painted, by the id of their canvas.
func (p *page) masks() map[string]*mask {
	all := map[string]*mask{"mask-start": &p.startMask}
	for i, im := range p.prompts {
		all["mask-"+cropID(i)] = &im.mask
	}
	return all
}

func (p *page) showMasks() {
	for id, m := range p.masks() {
		if canvas := js.Global().Get("document").Call("getElementById", id); canvas.Truthy() {
			m.paint(canvas, p.s.Width, p.s.Height)
		}
	}
}

// maskControls are the canvas, over a picture if there is one, and its tools.
func (p *page) maskControls(id, label, hint string, m *mask, under string) app.UI {
	if m.brush == 0 {
		m.brush = 0.15
	}
	redraw := func() { p.ctx.Defer(func(app.Context) { p.showMasks() }) }
	point := func(ctx app.Context, e app.Event) [2]float64 {
		src := ctx.JSSrc()
		return [2]float64{e.Get("offsetX").Float() / src.Get("clientWidth").Float(), e.Get("offsetY").Float() / src.Get("clientHeight").Float()}
	}
	tool := func(text string, pressed bool, do func()) app.UI {
		return app.Button().Class("plain").Aria("pressed", map[bool]string{true: "true", false: "false"}[pressed]).Text(text).
			OnClick(func(app.Context, app.Event) { do(); redraw() })
	}
	return app.Details().Class("more").Body(
		app.Summary().Text(label).OnClick(func(app.Context, app.Event) { redraw() }),
		app.P().Class("quiet").Text(hint),
		app.Div().Class("frame").Body(
			app.If(under != "", func() app.UI { return app.Img().Src(under).Role("presentation") }),
			app.Canvas().ID(id).Class("mask").Aria("label", label).Role("img").
				On("pointerdown", func(ctx app.Context, e app.Event) {
					e.PreventDefault()
					ctx.JSSrc().Call("setPointerCapture", e.Get("pointerId"))
					m.drawing = true
					m.strokes = append(m.strokes, stroke{erase: m.erase, brush: m.brush, points: [][2]float64{point(ctx, e)}})
					p.showMasks()
				}).
				On("pointermove", func(ctx app.Context, e app.Event) {
					if m.drawing {
						s := &m.strokes[len(m.strokes)-1]
						s.points = append(s.points, point(ctx, e))
						p.showMasks()
					}
				}).
				On("pointerup", func(app.Context, app.Event) { m.drawing = false; redraw() }),
		),
		app.Div().Class("go-small").Body(
			tool("Brush", !m.erase, func() { m.erase = false }),
			tool("Eraser", m.erase, func() { m.erase = true }),
			app.Button().Class("plain").Text("Undo").Disabled(m.empty()).OnClick(func(app.Context, app.Event) {
				m.strokes = m.strokes[:max(0, len(m.strokes)-1)]
				redraw()
			}),
			app.Button().Class("plain").Text("All").OnClick(func(app.Context, app.Event) {
				m.strokes = append(m.strokes, stroke{brush: 4, points: [][2]float64{{0, 0}, {1, 1}}})
				redraw()
			}),
		),
		app.Div().Class("field").Body(
			app.Label().For(id+"-brush").Text("Brush size"),
			app.Input().ID(id+"-brush").Type("range").Min("0.02").Max("0.5").Step(0.01).Value(trim(m.brush)).
				OnInput(func(ctx app.Context, _ app.Event) { m.brush = number(ctx, m.brush) }),
		),
	)
}
