//go:build js && wasm

package ui

import (
	"encoding/base64"
	"strings"
	"syscall/js"

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
	if base := m.Beneath(); base != nil {
		c.Call("drawImage", base.Bitmap, 0, 0, width, height)
	}
	for _, d := range m.Draw(width, height) {
		paintStroke(c, d)
	}
}

// paintStroke draws a stroke of a mask over those before it.
func paintStroke(c js.Value, d state.Drawn) {
	if d.Invert {
		c.Set("globalCompositeOperation", "difference")
		c.Set("fillStyle", "#fff")
		c.Call("fillRect", 0, 0, c.Get("canvas").Get("width"), c.Get("canvas").Get("height"))
		c.Set("globalCompositeOperation", "source-over")
		return
	}
	c.Set("lineCap", "round")
	c.Set("lineJoin", "round")
	c.Set("strokeStyle", map[bool]string{true: "#000", false: "#fff"}[d.Erase])
	c.Set("lineWidth", d.Width)
	c.Call("beginPath")
	c.Call("moveTo", d.Points[0][0], d.Points[0][1])
	for _, p := range d.Points[1:] {
		c.Call("lineTo", p[0]+0.01, p[1]) // a line without a length is not drawn
	}
	c.Call("stroke")
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
