//go:build js && wasm && !cli

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
	width, height int // of the picture; 0 until the browser has decoded it
	x, y, zoom    float64
}

func newCrop() crop { return crop{x: 0.5, y: 0.5, zoom: 1} }

// square is the crop in the picture's pixels, or nil for the centre.
func (c crop) square() *settings.Crop {
	if c.width == 0 || c.zoom == 1 && c.x == 0.5 && c.y == 0.5 {
		return nil
	}
	size := max(1, int(float64(min(c.width, c.height))/c.zoom))
	return &settings.Crop{X: int(math.Round(float64(c.width-size) * c.x)), Y: int(math.Round(float64(c.height-size) * c.y)), Size: size}
}

// measure learns a picture's size and shows its crop.
func (p *page) measure(im *imagePrompt) {
	img := js.Global().Get("Image").New()
	var loaded js.Func
	loaded = js.FuncOf(func(js.Value, []js.Value) any {
		loaded.Release()
		p.ctx.Dispatch(func(app.Context) {
			im.image = img
			im.crop.width, im.crop.height = img.Get("naturalWidth").Int(), img.Get("naturalHeight").Int()
			p.ctx.Defer(func(app.Context) { p.showCrops() })
		})
		return nil
	})
	img.Set("onload", loaded)
	var broken js.Func
	broken = js.FuncOf(func(js.Value, []js.Value) any {
		broken.Release()
		p.ctx.Dispatch(func(app.Context) {
			p.removePrompt(im)
			p.problem = im.name + " is not a picture that this browser can show. PNG, JPEG, WebP and GIF are taken."
		})
		return nil
	})
	img.Set("onerror", broken)
	img.Set("src", im.url)
}

// cropPixels is the side of a crop's picture on the card, for sharp screens.
const cropPixels = 176

// showCrops draws every image prompt as the encoder will see it.
func (p *page) showCrops() {
	for i, im := range p.prompts {
		canvas := js.Global().Get("document").Call("getElementById", cropID(i))
		if !canvas.Truthy() || im.crop.width == 0 {
			continue
		}
		c := im.crop.square()
		if c == nil {
			size := min(im.crop.width, im.crop.height)
			c = &settings.Crop{X: (im.crop.width - size) / 2, Y: (im.crop.height - size) / 2, Size: size}
		}
		canvas.Set("width", cropPixels)
		canvas.Set("height", cropPixels)
		canvas.Call("getContext", "2d").Call("drawImage", im.image, c.X, c.Y, c.Size, c.Size, 0, 0, cropPixels, cropPixels)
	}
}

func cropID(i int) string { return "crop-" + string(rune('a'+i)) }

// cropControls move and zoom the square; only the ways that it can go.
func (p *page) cropControls(id string, im *imagePrompt) app.UI {
	slider := func(label string, least, most, step float64, value *float64) app.UI {
		return app.Div().Class("field").Body(
			app.Label().For(id+label).Text(label),
			app.Input().ID(id+label).Type("range").Min(trim(least)).Max(trim(most)).Step(step).Value(trim(*value)).
				OnInput(func(ctx app.Context, _ app.Event) {
					*value = number(ctx, *value)
					p.showCrops()
				}),
		)
	}
	return app.Details().Class("more").Body(
		app.Summary().Text("Crop"),
		slider("Crop left to right", 0, 1, 0.01, &im.crop.x),
		slider("Crop top to bottom", 0, 1, 0.01, &im.crop.y),
		slider("Crop zoom", 1, 4, 0.05, &im.crop.zoom),
	)
}
