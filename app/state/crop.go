package state

import (
	"math"

	"github.com/imprompt/imprompt/app/settings"
)

// Crop is the square of a picture that the image encoder sees. A new Crop is the centre crop that the image processor
// makes of its own accord.
type Crop struct {
	Width, Height int     // of the picture, in pixels
	X, Y          float64 // the place of the square, from 0 (left, top) to 1 (right, bottom)
	Zoom          float64 // the picture's shorter side divided by the square's, from 1 to MaxZoom
}

// MaxZoom is the largest Zoom of a Crop.
const MaxZoom = 8

// NewCrop returns the centre crop of a picture.
func NewCrop(width, height int) Crop {
	return Crop{Width: width, Height: height, X: 0.5, Y: 0.5, Zoom: 1}
}

// CropOf returns the crop that has a given square; nil is the centre.
func CropOf(square *settings.Crop, width, height int) Crop {
	c := NewCrop(width, height)
	if square == nil || square.Size <= 0 {
		return c
	}
	c.Zoom = clamp(float64(min(width, height))/float64(square.Size), 1, MaxZoom)
	place := func(at, room int) float64 {
		if room <= 0 {
			return 0.5
		}
		return clamp(float64(at)/float64(room), 0, 1)
	}
	c.X, c.Y = place(square.X, width-square.Size), place(square.Y, height-square.Size)
	return c
}

// Setting returns what the settings say of the crop: the square, or nil for the centre crop.
func (c Crop) Setting() *settings.Crop {
	if c.Zoom == 1 && c.X == 0.5 && c.Y == 0.5 {
		return nil
	}
	s := c.Square()
	return &s
}

// Square returns the square in the picture's pixels.
func (c Crop) Square() settings.Crop {
	// The small addend lets CropOf's zoom lead back to the same size, whichever way the division was rounded.
	size := max(1, int(float64(min(c.Width, c.Height))/c.Zoom+1e-6))
	return settings.Crop{X: int(math.Round(float64(c.Width-size) * c.X)), Y: int(math.Round(float64(c.Height-size) * c.Y)), Size: size}
}

// Move shifts the square by dx and dy of the picture's pixels, up to the picture's edges.
func (c *Crop) Move(dx, dy float64) {
	size := float64(c.Square().Size)
	shift := func(at *float64, by, room float64) {
		if room > 0 {
			*at = clamp(*at+by/room, 0, 1)
		}
	}
	shift(&c.X, dx, float64(c.Width)-size)
	shift(&c.Y, dy, float64(c.Height)-size)
}

// ZoomTo changes the square's size and keeps its middle where the edges allow it.
func (c *Crop) ZoomTo(zoom float64) {
	before := c.Square()
	middleX, middleY := float64(before.X)+float64(before.Size)/2, float64(before.Y)+float64(before.Size)/2
	c.Zoom = clamp(zoom, 1, MaxZoom)
	after := c.Square()
	half := float64(after.Size) / 2
	c.Move(middleX-half-float64(after.X), middleY-half-float64(after.Y))
}

// Scroll zooms as the wheel turns: 500 pixels of scrolling change the zoom by a factor of e.
func (c *Crop) Scroll(pixels float64) { c.ZoomTo(c.Zoom * math.Exp(-pixels/500)) }

// Key moves or zooms the square by a key, and reports whether the key does anything.
func (c *Crop) Key(name string) bool {
	step := float64(min(c.Width, c.Height)) / 20
	switch name {
	case "ArrowLeft":
		c.Move(-step, 0)
	case "ArrowRight":
		c.Move(step, 0)
	case "ArrowUp":
		c.Move(0, -step)
	case "ArrowDown":
		c.Move(0, step)
	case "+", "=":
		c.ZoomTo(c.Zoom * 1.1)
	case "-":
		c.ZoomTo(c.Zoom / 1.1)
	case "0", "Home":
		*c = NewCrop(c.Width, c.Height)
	default:
		return false
	}
	return true
}

// Fit returns the size of a canvas for the whole picture: width pixels wide, or less for a picture that is taller
// than one and a half times its width. scale is the number of pixels of the canvas for one of the picture.
func (c Crop) Fit(width int) (w, h int, scale float64) {
	scale = float64(width) / float64(c.Width)
	if most := 1.5 * float64(width); float64(c.Height)*scale > most {
		scale = most / float64(c.Height)
	}
	return max(1, int(float64(c.Width)*scale)), max(1, int(float64(c.Height)*scale)), scale
}

func clamp(x, low, high float64) float64 { return min(max(x, low), high) }
