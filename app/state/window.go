package state

import "math"

// Window is the part of a long list that is drawn. The list is cut into blocks, each at least as long as what is seen of
// it at once, and three blocks are drawn. A block stays in its slot as long as it is drawn, so that scrolling on changes
// one slot only.
type Window struct {
	perLine int     // results in a line
	lines   int     // in a block
	line    float64 // from one line to the next, in pixels along the way that is scrolled
	first   int     // the first of the blocks
}

// Slots is how many blocks are drawn.
const Slots = 3

// Look takes how the list lies on the screen, and reports whether another part of it has to be drawn. offset is how far it
// is scrolled and view how much is seen, in pixels.
func (w *Window) Look(offset, view, line float64, perLine int) (changed bool) {
	if line <= 0 || perLine < 1 {
		return false
	}
	before := *w
	w.perLine, w.line = perLine, line
	w.lines = max(4, int(math.Ceil(view/line)))
	w.first = max(0, int((offset+view/2)/(line*float64(w.lines)))-1)
	return *w != before
}

// at returns the first of the blocks that are drawn of a list of so many results.
func (w Window) at(n int) int { return max(0, min(w.first, w.count(n)-Slots)) }

// count returns how many blocks a list has.
func (w Window) count(n int) int { return (n + w.block() - 1) / w.block() }

// block returns how many results a block has. Before the first Look it is a guess.
func (w Window) block() int {
	if w.lines == 0 {
		return 12
	}
	return w.lines * w.perLine
}

// Slot returns the results that are drawn in a slot, from one index up to another, and the place of the slot among the
// others, from 0.
func (w Window) Slot(slot, n int) (from, to, place int) {
	first := w.at(n)
	place = (slot - first%Slots + Slots) % Slots
	from = min(n, (first+place)*w.block())
	return from, min(n, from+w.block()), place
}

// Margins returns how much room the results before and after those that are drawn take, in pixels.
func (w Window) Margins(n int) (before, after int) {
	if w.lines == 0 {
		return 0, 0
	}
	first, length := w.at(n), w.line*float64(w.lines)
	all := (n + w.perLine - 1) / w.perLine
	drawn := (first + Slots) * w.lines
	return int(math.Round(float64(first) * length)), int(math.Round(float64(max(0, all-drawn)) * w.line))
}

// At returns the place of the slot that has what lies at an offset. It may be beside those that are drawn.
func (w Window) At(offset float64) (place int) {
	if w.lines == 0 {
		return 0
	}
	return int(offset/(w.line*float64(w.lines))) - w.first
}

// Columns and Lines return how many results a line has, and how many lines are seen at once.
func (w Window) Columns() int { return max(1, w.perLine) }
func (w Window) Lines() int   { return max(1, w.lines) }

// Offset returns how far a list has to be scrolled so that the result at an index is seen, if it is scrolled by now so
// far and so much is seen. It is now if the result is seen already.
func (w Window) Offset(index int, now, view float64) float64 {
	if w.lines == 0 {
		return now
	}
	start := float64(index/w.perLine) * w.line
	return min(max(now, start+w.line-view), start)
}
