//go:build js && wasm

package ui

import (
	"fmt"
	"syscall/js"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// canvases lets the visitor change crops, masks and maps directly on their pictures, with the pointer, the wheel and keys.
// Masks and maps are painted on the stage; a crop can be moved on its own picture, too. It listens to the window, because a
// listener must answer before the event is over, and go-app's own run too late.
type canvases struct {
	composer *state.Composer
	stage    *state.Stage
	loop     *loop
	edit     func(state.Editing) // begins or ends to edit something on the stage
	place    func()              // puts what is on the stage into its place
	follow   func(e js.Value)    // moves what the pointer holds, while it is down
	stroke   *state.Mask         // what the pointer paints on
}

// editID is the id of the canvas of what is edited on the stage, and stageMapID that of a map over the picture there.
// cropID is that of the crop of an image prompt, by its index.
const (
	editID     = "stage-edit"
	stageMapID = "stage-map"
)

func cropID(i int) string { return "crop-" + string(rune('a'+i)) }

// thumbID is the id of the canvas that shows an image prompt in the row of all of them, by its index.
func thumbID(i int) string { return "thumb-" + cropID(i) }

// partID is the id of the canvas of one of an image prompt's pictures, by the number that state.ImagePrompt.PartAt has.
func partID(i, number int) string {
	if number == 0 {
		return cropID(i)
	}
	return fmt.Sprintf("%s-%d", cropID(i), number)
}

// mapPreviewID is the id of the canvas that shows a structure's map in its card, by its index.
func mapPreviewID(i int) string { return "preview-map-" + cropID(i) }

// editButton is a button that has something edited on the stage.
func (c *canvases) editButton(text texts.Text, e state.Editing) app.HTMLButton {
	return app.Button().Class("plain small").Text(text.String()).Aria("pressed", fmt.Sprint(c.stage.Editing() == e)).Title(texts.F("On the stage: %s", e.Hint())).
		OnClick(func(app.Context, app.Event) { c.edit(e) }, named(fmt.Sprintf("%s %p %d %p", e.What, e.Prompt, e.Part, e.Structure)))
}

// crop returns the crop that is shown on a canvas, or nil.
func (c *canvases) crop(id string) *state.Crop {
	if id == editID {
		return c.stage.Editing().Crop()
	}
	for i, im := range c.composer.Prompts {
		for number := range state.UnlikePart + 1 {
			if id == partID(i, number) {
				_, crop := im.PartAt(number)
				return crop
			}
		}
	}
	return nil
}

// mask returns the mask that is painted on a canvas, or nil.
func (c *canvases) mask(id string) *state.Mask {
	if id == editID {
		return c.stage.Editing().Mask(c.composer)
	}
	return nil
}

// paint draws all crops, masks and maps.
func (c *canvases) paint() {
	crop := func(id string, im *state.ImagePrompt, number int) {
		picture, crop := im.PartAt(number)
		if canvas := byID(id); canvas.Truthy() && crop != nil && !im.Kept {
			width := cropPixels
			if id == editID {
				width = smallSide
			}
			paintCrop(canvas, *crop, picture.Small.(js.Value), width)
		}
	}
	for i, im := range c.composer.Prompts {
		if canvas := byID(thumbID(i)); canvas.Truthy() && !im.Kept {
			paintThumb(canvas, im.Crop, im.Small.(js.Value))
		}
		for number := range state.UnlikePart + 1 {
			crop(partID(i, number), im, number)
		}
	}
	for i, s := range c.composer.Structures {
		c.paintMask(mapPreviewID(i), &s.Map)
		if s == c.composer.OverStage() {
			c.paintMask(stageMapID, &s.Map)
		}
	}
	if e := c.stage.Editing(); e.Crop() != nil {
		crop(editID, e.Prompt, e.Part)
	} else {
		c.paintMask(editID, e.Mask(c.composer))
	}
	c.place()
}

func (c *canvases) paintMask(id string, m *state.Mask) {
	width, height := c.composer.Settings.Width, c.composer.Settings.Height
	if m == &c.composer.StartMask {
		width, height = c.composer.Settings.InitSize()
	}
	if canvas := byID(id); canvas.Truthy() && m != nil {
		paintMask(canvas, m, width, height)
	}
}

// paintLater draws them after the page has been drawn, when a canvas may have come or gone.
func (c *canvases) paintLater() { c.loop.drawn(c.paint) }

// changed draws a crop or mask that was changed on its canvas, and the controls that say the same.
func (c *canvases) changed() { c.loop.dispatch(c.paint) }

func (c *canvases) listen() {
	on("pointerdown", c.pointerDown)
	on("pointermove", func(e js.Value) {
		if c.follow != nil {
			c.follow(e)
		} else if canvas := e.Get("target"); canvas.Get("id").String() == editID && c.mask(editID) != nil {
			c.mask(editID).Cursor = fractions(canvas, e)
			c.place()
		}
	})
	end := func(js.Value) {
		if c.follow != nil {
			c.follow, c.stroke = nil, nil
			c.changed()
		}
	}
	on("pointerup", end)
	on("pointercancel", end)
	var scrolled time.Time
	on("wheel", func(e js.Value) {
		crop := c.crop(e.Get("target").Get("id").String())
		// A visitor who scrolls the composer past a picture does not mean to zoom it.
		if crop == nil || time.Since(scrolled) < 300*time.Millisecond {
			scrolled = time.Now()
			return
		}
		e.Call("preventDefault")
		crop.Scroll(wheeled(e))
		c.changed()
	})
	on("keydown", c.keyDown)
}

func (c *canvases) pointerDown(e js.Value) {
	canvas := e.Get("target")
	if e.Get("button").Int() != 0 || canvas.Get("tagName").String() != "CANVAS" {
		return
	}
	id := canvas.Get("id").String()
	if crop := c.crop(id); crop != nil {
		c.dragCrop(crop, canvas, e)
	} else if m := c.mask(id); m != nil {
		c.dragMask(m, canvas, e)
	} else {
		return
	}
	// The canvas gets the keys from now on, and the pointer beyond its edge.
	canvas.Call("focus", map[string]any{"preventScroll": true})
	canvas.Call("setPointerCapture", e.Get("pointerId"))
	e.Call("preventDefault")
}

// dragCrop moves the square with the pointer.
func (c *canvases) dragCrop(crop *state.Crop, canvas, e js.Value) {
	x, y := e.Get("clientX").Float(), e.Get("clientY").Float()
	c.follow = func(e js.Value) {
		scale := float64(crop.Width) / canvas.Call("getBoundingClientRect").Get("width").Float()
		nx, ny := e.Get("clientX").Float(), e.Get("clientY").Float()
		crop.Move((nx-x)*scale, (ny-y)*scale)
		x, y = nx, ny
		c.paint()
	}
}

// fractions returns the place of an event on a canvas, as fractions of its width and height.
func fractions(canvas, e js.Value) [2]float64 {
	r := canvas.Call("getBoundingClientRect")
	return [2]float64{(e.Get("clientX").Float() - r.Get("left").Float()) / r.Get("width").Float(),
		(e.Get("clientY").Float() - r.Get("top").Float()) / r.Get("height").Float()}
}

// dragMask begins a stroke at the pointer and follows it.
func (c *canvases) dragMask(m *state.Mask, canvas, e js.Value) {
	m.Begin(fractions(canvas, e))
	paint := func() {
		drawn := m.Draw(canvas.Get("width").Int(), canvas.Get("height").Int())
		if len(drawn) > 0 {
			paintStroke(canvas.Call("getContext", "2d"), drawn[len(drawn)-1])
		}
		c.place()
	}
	paint()
	c.stroke, c.follow = m, func(e js.Value) {
		m.Extend(fractions(canvas, e))
		paint()
	}
}

// giveUp takes back what the pointer has begun.
func (c *canvases) giveUp() {
	if c.stroke != nil {
		c.stroke.GiveUp()
	}
	if c.follow != nil {
		c.follow, c.stroke = nil, nil
		c.changed()
	}
}

func (c *canvases) keyDown(e js.Value) {
	canvas, name := e.Get("target"), e.Get("key").String()
	control := e.Get("ctrlKey").Bool() || e.Get("metaKey").Bool()
	if canvas.Get("tagName").String() != "CANVAS" || e.Get("altKey").Bool() {
		return
	}
	id := canvas.Get("id").String()
	done := false
	if crop := c.crop(id); crop != nil {
		done = !control && crop.Key(name)
	} else if m := c.mask(id); m != nil {
		if done = m.Key(name, e.Get("shiftKey").Bool(), control); done {
			c.stage.View.Reveal(m.Cursor)
		}
	}
	if done {
		c.changed()
		e.Call("preventDefault")
	}
}
