//go:build js && wasm

package ui

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// mask is painted over the result's frame: white where something applies.
type mask struct {
	base    js.Value // ImageBitmap of a mask that was restored; undefined without one
	strokes []stroke
	erase   bool
	brush   float64    // width, as a part of the frame's shorter side; 0 is the default
	cursor  [2]float64 // the brush's place for the keyboard, 0 to 1
}

type stroke struct {
	erase  bool
	brush  float64
	points [][2]float64 // 0 to 1
}

const defaultBrush = 0.15

func (m *mask) empty() bool { return len(m.strokes) == 0 && m.base.IsUndefined() }

func (m *mask) width() float64 {
	if m.brush == 0 {
		return defaultBrush
	}
	return m.brush
}

// paint draws the mask on a canvas of so many pixels.
func (m *mask) paint(canvas js.Value, width, height int) {
	canvas.Set("width", width)
	canvas.Set("height", height)
	c := canvas.Call("getContext", "2d")
	c.Set("fillStyle", "#000")
	c.Call("fillRect", 0, 0, width, height)
	if !m.base.IsUndefined() {
		c.Call("drawImage", m.base, 0, 0, width, height)
	}
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

// png is the mask as a picture of the result's size, in a Uint8Array.
func (m *mask) png(width, height int) js.Value {
	canvas := js.Global().Get("document").Call("createElement", "canvas")
	m.paint(canvas, width, height)
	_, data, _ := strings.Cut(canvas.Call("toDataURL", "image/png").String(), ",")
	b, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		panic(err) // toDataURL's own form
	}
	return webapi.BytesOf(b)
}

// maskFrom is a mask that a result was made with.
func maskFrom(pictures map[string]js.Value, name string) (mask, error) {
	data, ok := pictures[name]
	if !ok {
		return mask{}, fmt.Errorf("the mask %s is not kept here", name)
	}
	bitmap, err := webapi.Await(context.Background(), js.Global().Call("createImageBitmap", blob(data, "image/png")))
	return mask{base: bitmap}, err
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
		canvas := byID(id)
		if !canvas.Truthy() {
			continue
		}
		m.paint(canvas, p.s.Width, p.s.Height)
		if p.painting == id {
			m.paintCursor(canvas, p.s.Width, p.s.Height)
		}
	}
}

// paintCursor shows where the keyboard's brush is.
func (m *mask) paintCursor(canvas js.Value, width, height int) {
	c := canvas.Call("getContext", "2d")
	radius := max(2, m.width()*float64(min(width, height))/2)
	for i, colour := range []string{"#000", "#fff"} {
		c.Set("strokeStyle", colour)
		c.Set("lineWidth", float64(2-i))
		c.Call("beginPath")
		c.Call("arc", m.cursor[0]*float64(width), m.cursor[1]*float64(height), radius, 0, 7)
		c.Call("stroke")
	}
}

// dragMask begins a stroke at the pointer and follows it.
func (p *page) dragMask(m *mask, canvas, e js.Value) {
	at := func(e js.Value) [2]float64 {
		r := canvas.Call("getBoundingClientRect")
		return [2]float64{(e.Get("clientX").Float() - r.Get("left").Float()) / r.Get("width").Float(),
			(e.Get("clientY").Float() - r.Get("top").Float()) / r.Get("height").Float()}
	}
	m.begin(at(e))
	p.showMasks()
	p.drag = func(e js.Value) {
		m.extend(at(e))
		p.showMasks()
	}
}

func (m *mask) begin(at [2]float64) {
	m.cursor = at
	m.strokes = append(m.strokes, stroke{erase: m.erase, brush: m.width(), points: [][2]float64{at}})
}

func (m *mask) extend(at [2]float64) {
	m.cursor = at
	if n := len(m.strokes); n > 0 {
		m.strokes[n-1].points = append(m.strokes[n-1].points, at)
	}
}

func (m *mask) undo() {
	if n := len(m.strokes); n > 0 {
		m.strokes = m.strokes[:n-1]
		return
	}
	m.base = js.Undefined()
}

// keyMask paints from the keyboard, and says whether it did: arrows move the brush,
// with Shift they paint, Space sets a dab.
func (p *page) keyMask(m *mask, name string, e js.Value) bool {
	const step = 0.05
	move := map[string][2]float64{"ArrowLeft": {-step, 0}, "ArrowRight": {step, 0}, "ArrowUp": {0, -step}, "ArrowDown": {0, step}}
	by, arrow := move[name]
	switch {
	case arrow:
		from := m.cursor
		to := [2]float64{min(max(from[0]+by[0], 0), 1), min(max(from[1]+by[1], 0), 1)}
		m.cursor = to
		if e.Get("shiftKey").Bool() {
			m.begin(from)
			m.extend(to)
		}
	case name == " ":
		m.begin(m.cursor)
	case name == "z" && e.Get("ctrlKey").Bool():
		m.undo()
	default:
		return false
	}
	p.showMasks()
	p.ctx.Dispatch(func(app.Context) {})
	return true
}

// maskControls are the canvas, over a picture if there is one, and its tools.
func (p *page) maskControls(id, label, hint string, m *mask, under string) app.UI {
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
			tool("Brush", !m.erase, func() { m.erase = false }),
			tool("Eraser", m.erase, func() { m.erase = true }),
			act("Undo", m.empty(), m.undo),
			act("All", false, func() {
				m.strokes = append(m.strokes, stroke{brush: 4, points: [][2]float64{{0, 0}, {1, 1}}})
			}),
		),
		app.Div().Class("field").Body(
			app.Label().For(id+"-brush").Text("Brush size"),
			app.Input().ID(p.bind(id+"-brush", trim(m.width()))).Type("range").Min("0.02").Max("0.5").Step(0.01).
				OnInput(func(ctx app.Context, _ app.Event) { m.brush = number(ctx, m.brush) }, key(m)),
		),
	)
}
