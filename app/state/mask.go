package state

import "slices"

// Mask is painted over the result's frame: white where something applies. Places in it are fractions of the frame's
// width and height, so that a mask keeps its meaning when the size of the result changes.
type Mask struct {
	Base    *Base // a restored mask, beneath the strokes; nil without one
	Fixed   bool  // the base cannot be taken back: it is a map that is painted on
	Strokes []Stroke
	Erase   bool       // the next strokes erase
	Brush   float64    // the width of the next strokes, see Stroke; 0 is DefaultBrush
	Cursor  [2]float64 // where the brush is

	undone []undone // what Redo brings back, the latest last
}

// undone is a stroke, or the restored mask, that was taken back.
type undone struct {
	stroke Stroke
	base   *Base
}

// Base is a mask that was read from a file.
type Base struct {
	Bitmap any
	PNG    any // its file
}

// Stroke is a line with round ends and joins, drawn over what is there, or a change of the whole mask.
type Stroke struct {
	Kind   string       `json:",omitempty"` // Line, or what becomes of the whole mask
	Erase  bool         // black rather than white
	Brush  float64      // the width of the line, as a fraction of the frame's shorter side
	Points [][2]float64 // one point is a dab
}

// The kinds of strokes.
const (
	Line   = ""
	Invert = "invert" // white becomes black, and black white
	Clear  = "clear"  // nothing is painted any more; a Base that is Fixed stays
)

// DefaultBrush is the width of the brush until the visitor changes it. MinBrush and MaxBrush are its bounds.
const (
	DefaultBrush = 0.15
	MinBrush     = 0.01
	MaxBrush     = 0.5
)

// Empty reports whether nothing is painted: the mask then has no effect at all.
func (m *Mask) Empty() bool { return !m.Painted() && m.Beneath() == nil }

// Painted reports whether there are strokes, since everything was cleared.
func (m *Mask) Painted() bool { return len(m.seen()) > 0 }

// Beneath returns what is beneath the strokes, or nil.
func (m *Mask) Beneath() *Base {
	if m.Fixed || len(m.seen()) == len(m.Strokes) {
		return m.Base
	}
	return nil
}

// seen returns the strokes since everything was cleared.
func (m *Mask) seen() []Stroke {
	for i := len(m.Strokes) - 1; i >= 0; i-- {
		if m.Strokes[i].Kind == Clear {
			return m.Strokes[i+1:]
		}
	}
	return m.Strokes
}

// Width returns the width of the brush.
func (m *Mask) Width() float64 {
	if m.Brush == 0 {
		return DefaultBrush
	}
	return m.Brush
}

// Resize makes the brush larger or smaller by a factor.
func (m *Mask) Resize(factor float64) { m.Brush = clamp(m.Width()*factor, MinBrush, MaxBrush) }

// add adds a stroke. What was taken back before does not come back any more.
func (m *Mask) add(s Stroke) { m.Strokes, m.undone = append(m.Strokes, s), nil }

// Begin starts a stroke with the brush as it is.
func (m *Mask) Begin(at [2]float64) {
	m.Cursor = at
	m.add(Stroke{Erase: m.Erase, Brush: m.Width(), Points: [][2]float64{at}})
}

// Extend continues the last stroke to a point.
func (m *Mask) Extend(at [2]float64) {
	m.Cursor = at
	if n := len(m.Strokes); n > 0 {
		m.Strokes[n-1].Points = append(m.Strokes[n-1].Points, at)
	}
}

// GiveUp removes the stroke that was begun last, as if it had never been.
func (m *Mask) GiveUp() {
	if n := len(m.Strokes); n > 0 {
		m.Strokes = m.Strokes[:n-1]
	}
}

// Undo removes the last stroke or, if there is none, the restored mask beneath.
func (m *Mask) Undo() {
	switch n := len(m.Strokes); {
	case n > 0:
		m.undone = append(m.undone, undone{stroke: m.Strokes[n-1]})
		m.Strokes = m.Strokes[: n-1 : n-1] // a copy may share what comes after
	case m.CanUndo():
		m.undone = append(m.undone, undone{base: m.Base})
		m.Base = nil
	}
}

// CanUndo reports whether there is something that Undo removes, and CanRedo whether there is something that Redo brings
// back.
func (m *Mask) CanUndo() bool { return len(m.Strokes) > 0 || m.Base != nil && !m.Fixed }
func (m *Mask) CanRedo() bool { return len(m.undone) > 0 }

// Redo brings back what Undo removed last, unless something was painted since.
func (m *Mask) Redo() {
	if n := len(m.undone); n > 0 {
		u, rest := m.undone[n-1], m.undone[:n-1]
		if u.base != nil {
			m.Base = u.base
		} else {
			m.add(u.stroke)
		}
		m.undone = rest
	}
}

// All paints the whole frame white.
func (m *Mask) All() { m.add(Stroke{Brush: 4, Points: [][2]float64{{0, 0}, {1, 1}}}) }

// Invert makes white black, and black white. Twice is not at all.
func (m *Mask) Invert() {
	if n := len(m.Strokes); n > 0 && m.Strokes[n-1].Kind == Invert {
		m.GiveUp()
		return
	}
	m.add(Stroke{Kind: Invert})
}

// Clear takes everything away that was painted, and the restored mask beneath.
func (m *Mask) Clear() {
	if m.CanClear() {
		m.add(Stroke{Kind: Clear})
	}
}

// CanClear reports whether there is something that Clear takes away.
func (m *Mask) CanClear() bool { return m.Painted() || m.Beneath() != nil && !m.Fixed }

// Key paints by a key, and reports whether the key does anything: arrows move the brush, with Shift they paint, and Space
// sets a dab; [ and ] change the brush's size, and e takes the eraser or the brush; Control with z takes the last stroke
// back, and with Shift as well, or with y, brings it back again.
func (m *Mask) Key(name string, shift, control bool) bool {
	const step = 0.05
	move := map[string][2]float64{"ArrowLeft": {-step, 0}, "ArrowRight": {step, 0}, "ArrowUp": {0, -step}, "ArrowDown": {0, step}}
	by, arrow := move[name]
	switch {
	case arrow && !control:
		from := m.Cursor
		m.Cursor = [2]float64{clamp(from[0]+by[0], 0, 1), clamp(from[1]+by[1], 0, 1)}
		if shift {
			to := m.Cursor
			m.Begin(from)
			m.Extend(to)
		}
	case control && (name == "y" || shift && (name == "z" || name == "Z")):
		m.Redo()
	case control && name == "z":
		m.Undo()
	case control:
		return false
	case name == " ":
		m.Begin(m.Cursor)
	case name == "[":
		m.Resize(1 / 1.2)
	case name == "]":
		m.Resize(1.2)
	case name == "e":
		m.Erase = !m.Erase
	default:
		return false
	}
	return true
}

// Drawn is a stroke in the pixels of a canvas.
type Drawn struct {
	Invert bool // the whole canvas; there is no line
	Erase  bool
	Width  float64
	Points [][2]float64 // at least two, so that a dab is drawn as well
}

// Draw returns the strokes, in the order in which they are to be drawn over Beneath, for a canvas of width × height
// pixels.
func (m *Mask) Draw(width, height int) []Drawn {
	var list []Drawn
	for _, s := range m.seen() {
		if s.Kind == Invert {
			list = append(list, Drawn{Invert: true})
			continue
		}
		d := Drawn{Erase: s.Erase, Width: s.Brush * float64(min(width, height))}
		for _, p := range s.Points {
			d.Points = append(d.Points, [2]float64{p[0] * float64(width), p[1] * float64(height)})
		}
		if len(d.Points) == 1 {
			d.Points = append(d.Points, d.Points[0])
		}
		list = append(list, d)
	}
	return list
}

// Copy returns a mask that later painting on m does not change.
func (m *Mask) Copy() *Mask {
	c := *m
	c.Strokes, c.undone = slices.Clone(m.Strokes), slices.Clone(m.undone)
	return &c
}
