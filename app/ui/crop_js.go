//go:build js && wasm

package ui

import (
	"fmt"
	"math"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
)

// cropPanel moves and zooms a picture's square without the pointer.
type cropPanel struct {
	app.Compo
	Drawn    int
	Index    int // of the image prompt
	Part     int // the number of its picture, as state.ImagePrompt.PartAt has them
	composer *state.Composer
	controls *controls
	canvases *canvases
}

func (t *cropPanel) Render() app.UI {
	picture, crop := t.composer.Prompts[t.Index].PartAt(t.Part)
	if crop == nil {
		return app.Div().Hidden(true) // it was removed a moment ago
	}
	slider := func(label string, least, most, step float64, value float64, set func(float64)) app.UI {
		id := promptID(t.Index, label)
		if t.Part > 0 {
			id += fmt.Sprintf(" %d", t.Part)
		}
		t.controls.bind(id, trim(math.Round(value*100)/100))
		return app.Div().Class("field").Body(
			app.Label().For(id).Text(label),
			app.Input().ID(id).Type("range").Min(trim(least)).Max(trim(most)).Step(step).
				OnInput(func(ctx app.Context, _ app.Event) {
					set(number(ctx, value))
					t.canvases.paint()
				}, key(picture)),
		)
	}
	sliders := []app.UI{
		slider("Crop left to right", 0, 1, 0.01, crop.X, func(v float64) { crop.X = v }),
		slider("Crop top to bottom", 0, 1, 0.01, crop.Y, func(v float64) { crop.Y = v }),
		slider("Crop zoom", 1, state.MaxZoom, 0.05, crop.Zoom, crop.ZoomTo),
	}
	if t.Part > 0 {
		return app.Details().Class("more").Body(append([]app.UI{app.Summary().Text("Crop")}, sliders...)...)
	}
	return app.Div().Class("crop-sliders").Body(append([]app.UI{app.Div().Class("label").Body(app.H4().Text("Crop"), info("crop", "Crop"))}, sliders...)...)
}

// cropCanvas shows a picture and its crop.
func cropCanvas(id, label string) app.HTMLCanvas {
	return app.Canvas().ID(id).Class("crop").TabIndex(0).Role("img").Aria("label", label).
		Aria("description", "The encoder sees the bright square. Arrow keys move it, plus and minus zoom, 0 puts it back.").
		Title("The encoder sees the bright square: drag it, or turn the wheel to zoom")
}

// paintThumb draws what the encoder sees of a picture.
func paintThumb(canvas js.Value, c state.Crop, image js.Value) {
	const side = 176 // for sharp screens
	canvas.Set("width", side)
	canvas.Set("height", side)
	s, scale := c.Square(), image.Get("width").Float()/float64(c.Width)
	size := float64(s.Size) * scale
	canvas.Call("getContext", "2d").Call("drawImage", image, float64(s.X)*scale, float64(s.Y)*scale, size, size, 0, 0, side, side)
}

// cropPixels is the width of a crop's canvas, for sharp screens.
const cropPixels = 224

// paintCrop draws a picture and dims what is outside of the square.
func paintCrop(canvas js.Value, c state.Crop, image js.Value) {
	w, h, scale := c.Fit(cropPixels)
	canvas.Set("width", w)
	canvas.Set("height", h)
	g := canvas.Call("getContext", "2d")
	g.Call("drawImage", image, 0, 0, w, h)
	s := c.Square()
	if s.Size == c.Width && s.Size == c.Height {
		return
	}
	x, y, size := float64(s.X)*scale, float64(s.Y)*scale, float64(s.Size)*scale
	g.Set("fillStyle", "rgb(0 0 0 / 0.6)")
	g.Call("beginPath")
	g.Call("rect", 0, 0, w, h)
	g.Call("rect", x, y, size, size)
	g.Call("fill", "evenodd")
	g.Set("strokeStyle", "#fff")
	g.Set("lineWidth", 3)
	g.Call("strokeRect", x+1.5, y+1.5, size-3, size-3)
}
