//go:build js && wasm

package ui

import (
	"syscall/js"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/app/ui/blobs"
	"github.com/imprompt/imprompt/gpu/webapi"
)

// curator does with the gallery's pictures what needs the browser.
type curator struct {
	gallery *state.Gallery
	stage   *state.Stage
	keeper  *keeper
	film    *film
	note    *state.Note
	loop    *loop
	alone   bool // the rest of the page cannot be reached
}

// settle keeps the keyboard within the lightbox while it is there.
func (c *curator) settle() {
	if c.alone == c.gallery.Lightbox {
		return
	}
	c.alone = c.gallery.Lightbox
	rest := js.Global().Get("document").Call("querySelectorAll", ".bar, .composer, .gallery")
	for i := range rest.Length() {
		rest.Index(i).Set("inert", c.alone)
	}
}

// press does what a press on a picture does.
func (c *curator) press(r *state.Result, ctrl, shift bool) {
	c.gallery.Press(r, ctrl, shift, c.wide())
	c.lit()
}

// wide reports whether the stage is beside the gallery, as on a desktop. The styles say the same.
func (c *curator) wide() bool {
	return !js.Global().Call("matchMedia", "(max-width: 880px)").Get("matches").Bool()
}

// open gives the gallery the place of the stage, or takes it back.
func (c *curator) open(opened bool) {
	c.gallery.Opened = opened
	c.gallery.Changes++
	c.film.reveal = true
	if opened && !c.wide() {
		c.loop.drawn(func() { byID(filmID).Get("parentElement").Call("scrollIntoView") })
	}
}

// pick has presses pick pictures, or not any more.
func (c *curator) pick(on bool) {
	c.gallery.Unpick()
	c.gallery.Picking = on
}

// lit puts the keyboard into the lightbox once it is drawn.
func (c *curator) lit() {
	if c.gallery.Lightbox {
		c.focus("stage")
	}
}

// close closes the lightbox. The keyboard goes back to the picture in the gallery.
func (c *curator) close() {
	c.gallery.Lightbox = false
	c.gallery.Changes++
	c.film.reveal = true
	c.focus(filmID)
}

// focus puts the keyboard into an element once the page is drawn.
func (c *curator) focus(id string) {
	c.loop.drawn(func() {
		c.settle()
		if e := byID(id); e.Truthy() {
			e.Call("focus", map[string]any{"preventScroll": true})
		}
	})
}

// star gives pictures a star, or takes it away, and keeps that.
func (c *curator) star(list []*state.Result) {
	for _, r := range c.gallery.Star(list) {
		c.keeper.star(r)
	}
}

func (c *curator) remove(list []*state.Result) {
	if len(list) > 0 {
		c.keeper.remove(list)
	}
}

// removeShown deletes the picture in the lightbox, which goes on to the one beside it.
func (c *curator) removeShown(r *state.Result) {
	if !c.gallery.Step(1) && !c.gallery.Step(-1) {
		c.close()
	}
	c.remove([]*state.Result{r})
}

// compare shows the later of two pictures, with the other before it.
func (c *curator) compare(list []*state.Result) {
	c.gallery.Unpick()
	c.stage.Compare.Two(c.gallery, list[1], list[0])
	c.gallery.Lightbox = c.gallery.Opened || !c.wide()
	c.lit()
}

// sheet saves pictures on one sheet.
func (c *curator) sheet(list []*state.Result) {
	sheet := state.SelectionSheet(list)
	c.loop.beside(func() func() {
		png, err := drawSheet(sheet)
		return func() {
			if err != nil {
				*c.note = state.Note{Text: texts.F("The sheet could not be drawn: %s", texts.Translate(err.Error()))}
				return
			}
			download(sheet.FileName, png)
		}
	})
}

// parts collects what is written as the parts of a Blob, outside of Go's memory.
type parts struct{ list js.Value }

func (w parts) Write(b []byte) (int, error) {
	w.list.Call("push", webapi.BytesOf(b))
	return len(b), nil
}

// export saves pictures as a zip of PNGs.
func (c *curator) export(list []*state.Result) {
	if len(list) == 0 {
		return
	}
	read := 0
	c.loop.beside(func() func() {
		w := parts{js.Global().Get("Array").New()}
		err := state.Pack(w, list, func(r *state.Result) ([]byte, error) {
			if read++; read%50 == 0 {
				text := texts.F("%d of %d pictures are packed.", read, len(list))
				c.loop.dispatch(func() { *c.note = state.Note{Text: text} })
			}
			return readBlob(r.PNG.(js.Value))
		}, func(s state.Sheet) ([]byte, error) {
			png, err := drawSheet(s)
			if err != nil {
				return nil, err
			}
			return readBlob(png)
		})
		return func() {
			if err != nil {
				*c.note = state.Note{Text: texts.F("The gallery could not be packed: %s", texts.Translate(err.Error()))}
				return
			}
			*c.note = state.Note{}
			download("imprompt-gallery.zip", blobs.Join(w.list, "application/zip"))
		}
	})
}

func readBlob(blob js.Value) ([]byte, error) {
	b, err := blobs.Bytes(blob)
	if err != nil {
		return nil, err
	}
	return webapi.GoBytes(b), nil
}
