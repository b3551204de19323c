package state

// Mask is painted over the result's frame: white where something applies. Places in it are fractions of the frame's
// width and height, so that a mask keeps its meaning when the size of the result changes.
type Mask struct {
	Base    *Base // a restored mask, beneath the strokes; nil without one
	Fixed   bool  // the base cannot be taken back: it is a map that is painted on
	Strokes []Stroke
	Erase   bool       // the next strokes erase
	Brush   float64    // the width of the next strokes, see Stroke; 0 is DefaultBrush
	Cursor  [2]float64 // where the brush is, for the keyboard
}

// Base is a mask that was read from a file.
type Base struct {
	Bitmap any
	PNG    any // its file
}

// Stroke is a line with round ends and joins, drawn over what is there.
type Stroke struct {
	Erase  bool         // black rather than white
	Brush  float64      // the width of the line, as a fraction of the frame's shorter side
	Points [][2]float64 // one point is a dab
}

// DefaultBrush is the width of the brush until the visitor changes it.
const DefaultBrush = 0.15

// Empty reports whether nothing was painted: the mask then has no effect at all.
func (m *Mask) Empty() bool { return len(m.Strokes) == 0 && m.Base == nil }

// Width returns the width of the brush.
func (m *Mask) Width() float64 {
	if m.Brush == 0 {
		return DefaultBrush
	}
	return m.Brush
}

// Begin starts a stroke with the brush as it is.
func (m *Mask) Begin(at [2]float64) {
	m.Cursor = at
	m.Strokes = append(m.Strokes, Stroke{Erase: m.Erase, Brush: m.Width(), Points: [][2]float64{at}})
}

// Extend continues the last stroke to a point.
func (m *Mask) Extend(at [2]float64) {
	m.Cursor = at
	if n := len(m.Strokes); n > 0 {
		m.Strokes[n-1].Points = append(m.Strokes[n-1].Points, at)
	}
}

// Undo removes the last stroke or, if there is none, the restored mask beneath.
func (m *Mask) Undo() {
	if n := len(m.Strokes); n > 0 {
		m.Strokes = m.Strokes[:n-1]
		return
	}
	if m.CanUndo() {
		m.Base = nil
	}
}

// CanUndo reports whether there is something that Undo removes.
func (m *Mask) CanUndo() bool { return len(m.Strokes) > 0 || m.Base != nil && !m.Fixed }

// All paints the whole frame white.
func (m *Mask) All() {
	m.Strokes = append(m.Strokes, Stroke{Brush: 4, Points: [][2]float64{{0, 0}, {1, 1}}})
}

// Key paints by a key, and reports whether the key does anything: arrows move the brush, with Shift they paint, Space
// sets a dab, and Control with z takes the last stroke back.
func (m *Mask) Key(name string, shift, control bool) bool {
	const step = 0.05
	move := map[string][2]float64{"ArrowLeft": {-step, 0}, "ArrowRight": {step, 0}, "ArrowUp": {0, -step}, "ArrowDown": {0, step}}
	by, arrow := move[name]
	switch {
	case arrow:
		from := m.Cursor
		m.Cursor = [2]float64{clamp(from[0]+by[0], 0, 1), clamp(from[1]+by[1], 0, 1)}
		if shift {
			to := m.Cursor
			m.Begin(from)
			m.Extend(to)
		}
	case name == " ":
		m.Begin(m.Cursor)
	case name == "z" && control:
		m.Undo()
	default:
		return false
	}
	return true
}

// Line is a stroke in the pixels of a canvas.
type Line struct {
	Erase  bool
	Width  float64
	Points [][2]float64 // at least two, so that a dab is drawn as well
}

// Lines returns the strokes, in the order in which they are to be drawn, for a canvas of width × height pixels.
func (m *Mask) Lines(width, height int) []Line {
	lines := make([]Line, len(m.Strokes))
	for i, s := range m.Strokes {
		l := Line{Erase: s.Erase, Width: s.Brush * float64(min(width, height))}
		for _, p := range s.Points {
			l.Points = append(l.Points, [2]float64{p[0] * float64(width), p[1] * float64(height)})
		}
		if len(l.Points) == 1 {
			l.Points = append(l.Points, l.Points[0])
		}
		lines[i] = l
	}
	return lines
}

// Ring returns where to show the keyboard's brush on a canvas of width × height pixels: a middle and a radius.
func (m *Mask) Ring(width, height int) (x, y, radius float64) {
	return m.Cursor[0] * float64(width), m.Cursor[1] * float64(height), max(2, m.Width()*float64(min(width, height))/2)
}

// Copy returns a mask that later painting on m does not change.
func (m *Mask) Copy() *Mask {
	c := *m
	c.Strokes = append([]Stroke(nil), m.Strokes...)
	return &c
}
