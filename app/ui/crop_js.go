//go:build js && wasm

package ui

import (
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// cropCanvas shows a picture and its crop.
func cropCanvas(id, label string) app.HTMLCanvas {
	return app.Canvas().ID(id).Class("crop").TabIndex(0).Role("img").Aria("label", label).
		Aria("description", cropKeys.String()).
		Title(texts.T("The encoder sees the bright square: drag it, or turn the wheel to zoom"))
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

const cropKeys texts.Text = "The encoder sees the bright square. Arrow keys move it, plus and minus zoom, 0 puts it back."

// cropPixels is the width of a crop's canvas in the composer, for sharp screens.
const cropPixels = 224

// paintCrop draws a picture on a canvas of a width, and dims what is outside of the square.
func paintCrop(canvas js.Value, c state.Crop, image js.Value, width int) {
	w, h, scale := c.Fit(width)
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
