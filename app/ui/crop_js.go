//go:build js && wasm

package ui

import (
	"math"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/settings"
)

// crop is the square of a picture that the image encoder sees: a place, as fractions
// of what can be moved, and a zoom. In the middle, unzoomed, it is the processor's own
// centre crop.
type crop struct {
	width, height int // of the picture
	x, y, zoom    float64
}

// maxZoom is the least part of the picture's shorter side that a crop can be, inverted.
const maxZoom = 8

func newCrop(width, height int) crop {
	return crop{width: width, height: height, x: 0.5, y: 0.5, zoom: 1}
}

// square is the crop in the picture's pixels, or nil for the centre.
func (c crop) square() *settings.Crop {
	if c.zoom == 1 && c.x == 0.5 && c.y == 0.5 {
		return nil
	}
	s := c.shown()
	return &s
}

// shown is the crop in the picture's pixels.
func (c crop) shown() settings.Crop {
	size := max(1, int(float64(min(c.width, c.height))/c.zoom))
	return settings.Crop{X: int(math.Round(float64(c.width-size) * c.x)), Y: int(math.Round(float64(c.height-size) * c.y)), Size: size}
}

// move shifts the square by so many of the picture's pixels, as far as it goes.
func (c *crop) move(dx, dy float64) {
	size := float64(c.shown().Size)
	shift := func(at *float64, by, room float64) {
		if room > 0 {
			*at = min(max(*at+by/room, 0), 1)
		}
	}
	shift(&c.x, dx, float64(c.width)-size)
	shift(&c.y, dy, float64(c.height)-size)
}

// zoomTo changes the square's size about its middle.
func (c *crop) zoomTo(zoom float64) {
	before := c.shown()
	middleX, middleY := float64(before.X)+float64(before.Size)/2, float64(before.Y)+float64(before.Size)/2
	c.zoom = min(max(zoom, 1), maxZoom)
	after := c.shown()
	half := float64(after.Size) / 2
	c.move(middleX-half-float64(after.X), middleY-half-float64(after.Y))
}

// cropPixels is the width of a crop's canvas, for sharp screens.
const cropPixels = 224

// showCrops draws every image prompt whole, with what the encoder does not see dimmed.
func (p *page) showCrops() {
	for i, im := range p.prompts {
		if canvas := byID(cropID(i)); canvas.Truthy() {
			im.crop.paint(canvas, im.small)
		}
	}
}

func (c crop) paint(canvas, image js.Value) {
	scale := float64(cropPixels) / float64(c.width)
	if most := 1.5 * cropPixels; float64(c.height)*scale > most {
		scale = most / float64(c.height)
	}
	w, h := max(1, int(float64(c.width)*scale)), max(1, int(float64(c.height)*scale))
	canvas.Set("width", w)
	canvas.Set("height", h)
	g := canvas.Call("getContext", "2d")
	g.Call("drawImage", image, 0, 0, w, h)
	s := c.shown()
	if s.Size == c.width && s.Size == c.height {
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

func cropID(i int) string { return "crop-" + string(rune('a'+i)) }

// cropOn is the image prompt whose crop an element is.
func (p *page) cropOn(element js.Value) *imagePrompt {
	for i, im := range p.prompts {
		if element.Get("id").String() == cropID(i) {
			return im
		}
	}
	return nil
}

// dragCrop moves the square with the pointer.
func (p *page) dragCrop(im *imagePrompt, canvas, e js.Value) {
	x, y := e.Get("clientX").Float(), e.Get("clientY").Float()
	p.drag = func(e js.Value) {
		scale := float64(im.crop.width) / canvas.Call("getBoundingClientRect").Get("width").Float()
		nx, ny := e.Get("clientX").Float(), e.Get("clientY").Float()
		im.crop.move((nx-x)*scale, (ny-y)*scale)
		x, y = nx, ny
		p.showCrops()
	}
}

// keyCrop moves and zooms the square from the keyboard, and says whether it did.
func (p *page) keyCrop(im *imagePrompt, name string) bool {
	step := float64(min(im.crop.width, im.crop.height)) / 20
	switch name {
	case "ArrowLeft":
		im.crop.move(-step, 0)
	case "ArrowRight":
		im.crop.move(step, 0)
	case "ArrowUp":
		im.crop.move(0, -step)
	case "ArrowDown":
		im.crop.move(0, step)
	case "+", "=":
		im.crop.zoomTo(im.crop.zoom * 1.1)
	case "-":
		im.crop.zoomTo(im.crop.zoom / 1.1)
	case "0", "Home":
		im.crop = newCrop(im.crop.width, im.crop.height)
	default:
		return false
	}
	p.cropped()
	return true
}

// cropped shows a crop that was changed.
func (p *page) cropped() {
	p.ctx.Dispatch(func(app.Context) { p.showCrops() })
}

// cropControls move and zoom the square without the picture.
func (p *page) cropControls(id string, im *imagePrompt) app.UI {
	slider := func(label string, least, most, step float64, value float64, set func(float64)) app.UI {
		id := p.bind(id+label, trim(math.Round(value*100)/100))
		return app.Div().Class("field").Body(
			app.Label().For(id).Text(label),
			app.Input().ID(id).Type("range").Min(trim(least)).Max(trim(most)).Step(step).
				OnInput(func(ctx app.Context, _ app.Event) {
					set(number(ctx, value))
					p.showCrops()
				}, key(im)),
		)
	}
	return app.Details().Class("more").Body(
		app.Summary().Text("Crop"),
		app.P().Class("quiet").Text("Drag the square on the picture, or turn the wheel over it."),
		slider("Crop left to right", 0, 1, 0.01, im.crop.x, func(v float64) { im.crop.x = v }),
		slider("Crop top to bottom", 0, 1, 0.01, im.crop.y, func(v float64) { im.crop.y = v }),
		slider("Crop zoom", 1, maxZoom, 0.05, im.crop.zoom, func(v float64) { im.crop.zoomTo(v) }),
	)
}
