//go:build js && wasm

package ui

import (
	"fmt"
	"syscall/js"
	"time"

	"github.com/imprompt/imprompt/app/state"
)

// canvases lets the visitor change crops and masks directly on their pictures, with the pointer, the wheel and keys. It
// listens to the window, because a listener must answer before the event is over, and go-app's own run too late.
type canvases struct {
	composer *state.Composer
	loop     *loop
	follow   func(e js.Value) // moves what the pointer holds, while it is down
	focused  string           // the id of the mask that has the keyboard
}

// startMaskID is the id of the canvas of the start picture's mask. cropID and maskID are those of the crop and the mask
// of an image prompt, by its index.
const startMaskID = "mask-start"

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

func maskID(i int) string { return "mask-" + cropID(i) }

// mapID is the id of the canvas on which a structure's map is painted, by its index. mapPreviewID is that of the canvas that
// shows it in its card, and stageMapID that of the one over the stage.
func mapID(i int) string        { return "map-" + cropID(i) }
func mapPreviewID(i int) string { return "preview-" + mapID(i) }

const stageMapID = "stage-map"

// crop returns the crop that is shown on a canvas, or nil.
func (c *canvases) crop(id string) *state.Crop {
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
	if id == startMaskID {
		return &c.composer.StartMask
	}
	for i, im := range c.composer.Prompts {
		if id == maskID(i) {
			return &im.Mask
		}
	}
	for i, s := range c.composer.Structures {
		if id == mapID(i) {
			return &s.Map
		}
	}
	return nil
}

// paint draws all crops, masks and maps.
func (c *canvases) paint() {
	c.paintMask(startMaskID)
	for i, im := range c.composer.Prompts {
		if canvas := byID(thumbID(i)); canvas.Truthy() && !im.Kept {
			paintThumb(canvas, im.Crop, im.Small.(js.Value))
		}
		for number := range state.UnlikePart + 1 {
			picture, crop := im.PartAt(number)
			if canvas := byID(partID(i, number)); canvas.Truthy() && crop != nil && !im.Kept {
				paintCrop(canvas, *crop, picture.Small.(js.Value))
			}
		}
		c.paintMask(maskID(i))
	}
	for i, s := range c.composer.Structures {
		c.paintMask(mapID(i))
		c.paintMap(mapPreviewID(i), s)
		if s == c.composer.OverStage() {
			c.paintMap(stageMapID, s)
		}
	}
}

// paintMap shows a map, as the network reads it, on a canvas that nobody paints on.
func (c *canvases) paintMap(id string, s *state.Structure) {
	if canvas := byID(id); canvas.Truthy() {
		scale := 1
		if canvas.Get("classList").Call("contains", "crisp").Bool() { // as the picture beneath it
			scale = 2
		}
		paintMask(canvas, &s.Map, scale*c.composer.Settings.Width, scale*c.composer.Settings.Height)
	}
}

func (c *canvases) paintMask(id string) {
	canvas, m := byID(id), c.mask(id)
	if !canvas.Truthy() || m == nil {
		return
	}
	s := c.composer.Settings
	paintMask(canvas, m, s.Width, s.Height)
	if c.focused == id {
		paintBrush(canvas, m, s.Width, s.Height)
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
		}
	})
	end := func(js.Value) {
		if c.follow != nil {
			c.follow = nil
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
		pixels := e.Get("deltaY").Float()
		if e.Get("deltaMode").Int() != 0 { // lines or pages
			pixels *= 40
		}
		crop.Scroll(pixels)
		c.changed()
	})
	on("keydown", c.keyDown)
	on("focusin", c.focus)
	on("focusout", c.focus)
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

// dragMask begins a stroke at the pointer and follows it.
func (c *canvases) dragMask(m *state.Mask, canvas, e js.Value) {
	at := func(e js.Value) [2]float64 {
		r := canvas.Call("getBoundingClientRect")
		return [2]float64{(e.Get("clientX").Float() - r.Get("left").Float()) / r.Get("width").Float(),
			(e.Get("clientY").Float() - r.Get("top").Float()) / r.Get("height").Float()}
	}
	m.Begin(at(e))
	c.paint()
	c.follow = func(e js.Value) {
		m.Extend(at(e))
		c.paint()
	}
}

func (c *canvases) keyDown(e js.Value) {
	canvas, name := e.Get("target"), e.Get("key").String()
	control := e.Get("ctrlKey").Bool()
	if canvas.Get("tagName").String() != "CANVAS" || control && name != "z" || e.Get("metaKey").Bool() {
		return
	}
	id := canvas.Get("id").String()
	done := false
	if crop := c.crop(id); crop != nil {
		done = crop.Key(name)
	} else if m := c.mask(id); m != nil {
		done = m.Key(name, e.Get("shiftKey").Bool(), control)
	}
	if done {
		c.changed()
		e.Call("preventDefault")
	}
}

// focus shows the keyboard's brush on the mask that has the keyboard.
func (c *canvases) focus(e js.Value) {
	id := ""
	if active := js.Global().Get("document").Get("activeElement"); active.Truthy() && e.Get("type").String() == "focusin" {
		id = active.Get("id").String()
	}
	if c.mask(id) != nil || c.focused != "" {
		c.focused = id
		c.paint()
	}
}
