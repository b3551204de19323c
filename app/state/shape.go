package state

import (
	"fmt"
	"math"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/web"
)

// MinEdge and MaxEdge are the least and the greatest width and height that the page offers, in pixels.
const (
	MinEdge = 64
	MaxEdge = 1024
)

// KeepShape has SetShape give the result the start picture's proportions.
const KeepShape = ""

// SetShape says what happens where the start picture's proportions and the result's differ: KeepShape, or one of
// settings.ResizeModes.
func (c *Composer) SetShape(mode string) {
	if mode == c.Settings.ResizeMode {
		return
	}
	c.Settings.ResizeMode = mode
	if mode == KeepShape {
		c.follow()
	} else {
		c.unfollow()
	}
}

// SetWidth sets the result's width. What is painted around a start picture stays as wide as it is. Where the start picture keeps
// its shape, the height follows.
func (c *Composer) SetWidth(width int) {
	before, height := c.Settings.InitSize()
	width = max(MinEdge, before+width-c.Settings.Width)
	if c.Follows() {
		height = edge(float64(width) * float64(c.Start.Height) / float64(c.Start.Width))
	}
	c.setInit(width, height)
}

// SetHeight sets the result's height, as SetWidth sets its width.
func (c *Composer) SetHeight(height int) {
	width, before := c.Settings.InitSize()
	height = max(MinEdge, before+height-c.Settings.Height)
	if c.Follows() {
		width = edge(float64(height) * float64(c.Start.Width) / float64(c.Start.Height))
	}
	c.setInit(width, height)
}

// Shrink makes the result smaller, for a GPU with little memory: both edges by a quarter. It reports whether that was
// possible.
func (c *Composer) Shrink() bool {
	s := &c.Settings
	before := [2]int{s.Width, s.Height}
	width, height := s.InitSize()
	for _, e := range Edges {
		*e.width(&s.Outpaint) = *e.width(&s.Outpaint) * 3 / 4
	}
	c.setInit(edge(0.75*float64(width)), edge(0.75*float64(height)))
	return s.Width < before[0] || s.Height < before[1]
}

// Follows reports whether the result's size follows a start picture.
func (c *Composer) Follows() bool { return c.Start != nil && c.Settings.ResizeMode == KeepShape }

// follow gives the result, without what is painted around the start picture, the start picture's proportions and about the area
// that it has.
func (c *Composer) follow() {
	if !c.Follows() {
		return
	}
	width, height := c.Settings.InitSize()
	c.before = [2]int{width, height}
	width, height = shaped(float64(width)*float64(height), c.Start.Width, c.Start.Height)
	c.setInit(width, height)
	c.followed = [2]int{width, height}
}

// unfollow returns to the size before the result took the start picture's proportions, unless it was changed since.
func (c *Composer) unfollow() {
	if width, height := c.Settings.InitSize(); c.followed == [2]int{width, height} {
		c.setInit(c.before[0], c.before[1])
	}
	c.followed = [2]int{}
}

// shaped returns the multiples of 8 that are nearest to the proportions of width × height, with about a given area.
func shaped(area float64, width, height int) (w, h int) {
	ratio := float64(width) / float64(height)
	best := math.Inf(1)
	for i := -1; i <= 1; i++ {
		tryWidth := edge(math.Sqrt(area*ratio) + float64(8*i))
		tryHeight := edge(float64(tryWidth) / ratio)
		off := 4*math.Abs(math.Log(float64(tryWidth)/float64(tryHeight)/ratio)) + math.Abs(math.Log(float64(tryWidth)*float64(tryHeight)/area))
		if off < best {
			w, h, best = tryWidth, tryHeight, off
		}
	}
	return w, h
}

// edge is the nearest width or height that the page offers.
func edge(pixels float64) int { return 8 * int(math.Round(clamp(pixels, MinEdge, MaxEdge)/8)) }

// resizeMode is what the settings of a request say of the start picture's shape. Where the result has kept it, no more
// than a few pixels are cut off.
func (c *Composer) resizeMode() string {
	switch {
	case c.Start == nil:
		return ""
	case c.Follows():
		return settings.ResizeCrop
	}
	return c.Settings.ResizeMode
}

// Aspect is a shape of pictures, as the ratio of its width to its height.
type Aspect struct{ Width, Height int }

// Aspects are those that are offered.
var Aspects = []Aspect{{1, 1}, {4, 3}, {3, 2}, {16, 9}, {3, 4}, {2, 3}, {9, 16}}

func (a Aspect) String() string { return fmt.Sprintf("%d:%d", a.Width, a.Height) }

// SetAspect gives the result a shape, with about the area that the model was trained for: trained² pixels, or those of
// the model that ships if it is 0.
func (c *Composer) SetAspect(a Aspect, trained int) {
	if trained == 0 {
		trained = web.Ships.Size
	}
	c.Settings.Width, c.Settings.Height = shaped(float64(trained*trained), a.Width, a.Height)
}

// Aspect returns the offered shape that the result has; ok is false if it has another.
func (c *Composer) Aspect(trained int) (a Aspect, ok bool) {
	for _, a := range Aspects {
		like := Composer{}
		if like.SetAspect(a, trained); like.Settings.Width == c.Settings.Width && like.Settings.Height == c.Settings.Height {
			return a, true
		}
	}
	return a, false
}
