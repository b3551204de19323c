package state

import (
	"math"
	"slices"

	"github.com/imprompt/imprompt/app/settings"
)

// BorderStep is what the widths of the borders around the start picture are multiples of, in pixels.
const BorderStep = 8

// Edge is one of the result's four edges, or the two that meet in a corner. It is dragged to paint around the start picture.
type Edge int

const (
	Left Edge = 1 << iota
	Top
	Right
	Bottom
)

// Edges are the four edges, and Corners the four corners.
var (
	Edges   = []Edge{Left, Top, Right, Bottom}
	Corners = []Edge{Left | Top, Right | Top, Left | Bottom, Right | Bottom}
)

// width returns where borders have their width at an edge, which is no corner.
func (e Edge) width(b *settings.Borders) *int {
	return map[Edge]*int{Left: &b.Left, Top: &b.Top, Right: &b.Right, Bottom: &b.Bottom}[e]
}

// Names are those of an edge, or of the two that meet in a corner.
func (e Edge) Names() (list []string) {
	for i, name := range []string{"left", "top", "right", "bottom"} {
		if e&Edges[i] != 0 {
			list = append(list, name)
		}
	}
	return list
}

// outwards returns how far an edge, which is no corner, moves outwards if it moves by dx and dy.
func (e Edge) outwards(dx, dy float64) float64 {
	return map[Edge]float64{Left: -dx, Top: -dy, Right: dx, Bottom: dy}[e]
}

// Extended reports whether anything is painted around the start picture.
func (c *Composer) Extended() bool { return c.Settings.Outpaint != settings.Borders{} }

// BorderAt returns the width of the border at an edge, which is no corner, and the greatest that it can have.
func (c *Composer) BorderAt(e Edge) (width, most int) {
	b := c.Settings.Outpaint
	width = *e.width(&b)
	*e.width(&b) = MaxEdge
	b = c.limited(b)
	return width, *e.width(&b)
}

// SetBorder sets the width of the border at an edge, which is no corner.
func (c *Composer) SetBorder(e Edge, width int) {
	b := c.Settings.Outpaint
	*e.width(&b) = width
	c.change(b)
}

// Pull moves an edge or a corner, which was dragged by dx and dy of the result's pixels since the borders were was. It reports
// whether anything has changed.
func (c *Composer) Pull(e Edge, was settings.Borders, dx, dy float64) bool {
	before := c.Settings.Outpaint
	b := was
	for _, one := range Edges {
		if e&one != 0 {
			*one.width(&b) += int(math.Round(one.outwards(dx, dy)))
		}
	}
	// What the room allows does not depend on the way that the pointer has taken.
	c.setBorders(was)
	c.setBorders(b)
	return c.Settings.Outpaint != before
}

// PullKey moves an edge, which is no corner, by a key, and reports whether the key does anything.
func (c *Composer) PullKey(e Edge, name string, far bool) bool {
	step := float64(BorderStep)
	if far {
		step *= 8
	}
	width, most := c.BorderAt(e)
	by := map[string]float64{"ArrowLeft": e.outwards(-step, 0), "ArrowRight": e.outwards(step, 0), "ArrowUp": e.outwards(0, -step), "ArrowDown": e.outwards(0, step)}[name]
	switch {
	case name == "Home":
		c.SetBorder(e, 0)
	case name == "End":
		c.SetBorder(e, most)
	case by != 0:
		c.SetBorder(e, width+int(by))
	default:
		return false
	}
	return true
}

// BeginBorders says that the borders are about to be changed, so that UndoBorders brings them back as they are now.
func (c *Composer) BeginBorders() {
	if n := len(c.borders); n == 0 || c.borders[n-1] != c.Settings.Outpaint {
		c.borders = append(slices.Clip(c.borders), c.Settings.Outpaint)
	}
}

// CanUndoBorders reports whether there is a change of the borders to take back.
func (c *Composer) CanUndoBorders() bool { return len(c.changed()) > 0 }

// UndoBorders takes the last change of the borders back.
func (c *Composer) UndoBorders() {
	if past := c.changed(); len(past) > 0 {
		c.setBorders(past[len(past)-1])
		c.borders = past[:len(past)-1]
	}
}

// changed returns the borders of before, without those that nothing was changed from.
func (c *Composer) changed() []settings.Borders {
	past := c.borders
	for len(past) > 0 && past[len(past)-1] == c.Settings.Outpaint {
		past = past[:len(past)-1]
	}
	return past
}

// ClearBorders takes all borders away.
func (c *Composer) ClearBorders() { c.change(settings.Borders{}) }

func (c *Composer) change(b settings.Borders) {
	c.BeginBorders()
	c.setBorders(b)
}

// setBorders sets the borders, as far as there is room for them. The start picture keeps its size, and the result's follows.
func (c *Composer) setBorders(b settings.Borders) {
	width, height := c.Settings.InitSize()
	c.Settings.Outpaint = c.limited(b)
	c.setInit(width, height)
}

// setInit gives the start picture a size in the result. The borders stay, as far as there is room for them, and the result's
// size follows.
func (c *Composer) setInit(width, height int) {
	s := &c.Settings
	s.Width, s.Height = width+s.Outpaint.Left+s.Outpaint.Right, height+s.Outpaint.Top+s.Outpaint.Bottom
	s.Outpaint = c.limited(s.Outpaint)
	s.Width, s.Height = width+s.Outpaint.Left+s.Outpaint.Right, height+s.Outpaint.Top+s.Outpaint.Bottom
}

// limited returns borders in whole steps for which there is room around the start picture. Of two opposite ones, that which
// differs from what it is now gives way.
func (c *Composer) limited(b settings.Borders) settings.Borders {
	width, height := c.Settings.InitSize()
	now := c.Settings.Outpaint
	limit := func(room int, moved, other *int) {
		for _, n := range []*int{moved, other} {
			*n = BorderStep * int(math.Round(clamp(float64(*n), 0, MaxEdge)/BorderStep))
		}
		over := max(0, *moved+*other-max(0, room))
		given := min(over, *moved)
		*moved -= given
		*other -= over - given
	}
	if b.Left != now.Left {
		limit(MaxEdge-width, &b.Left, &b.Right)
	} else {
		limit(MaxEdge-width, &b.Right, &b.Left)
	}
	if b.Top != now.Top {
		limit(MaxEdge-height, &b.Top, &b.Bottom)
	} else {
		limit(MaxEdge-height, &b.Bottom, &b.Top)
	}
	return b
}

// Extend begins from a picture whose edges are to be dragged. It has its own size in the result, so that its pixels stay as they
// are, if that is one that the page offers.
func (c *Composer) Extend(p *Picture) {
	c.SetShape(KeepShape)
	c.SetStart(p)
	if edge(float64(p.Width)) == p.Width && edge(float64(p.Height)) == p.Height {
		c.setInit(p.Width, p.Height)
		c.followed = [2]int{p.Width, p.Height}
	}
}
