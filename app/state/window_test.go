package state

import "testing"

// Wherever a list is scrolled to, what is seen is drawn, and the rest is room of the right size.
func TestWindow(t *testing.T) {
	for _, c := range []struct {
		n, perLine int
		line, view float64
	}{{2000, 1, 96, 850}, {2000, 5, 232, 700}, {3, 1, 96, 850}, {0, 4, 232, 700}, {61, 4, 232, 100}} {
		var w Window
		lines := (c.n + c.perLine - 1) / c.perLine
		all := float64(lines) * c.line
		for offset := 0.0; offset <= max(0, all-c.view); offset += 37 {
			w.Look(offset, c.view, c.line, c.perLine)
			before, after := w.Margins(c.n)
			places, drawn := [Slots]bool{}, 0
			least, most := c.n, 0
			for slot := range Slots {
				from, to, place := w.Slot(slot, c.n)
				if places[place] || from > to {
					t.Fatalf("two slots have place %d", place)
				}
				places[place] = true
				if drawn += to - from; to > from {
					least, most = min(least, from), max(most, to)
				}
			}
			if c.n == 0 {
				continue
			}
			if drawn != most-least || float64(before) != float64(least/c.perLine)*c.line {
				t.Fatalf("%+v at %g: %d are drawn from %d, after %d pixels", c, offset, drawn, least, before)
			}
			if got := before + int(float64((drawn+c.perLine-1)/c.perLine)*c.line) + after; got != int(all) {
				t.Fatalf("%+v at %g: the list is %d pixels long, want %g", c, offset, got, all)
			}
			if first, last := int(offset/c.line), int((offset+c.view-1)/c.line); least/c.perLine > first || (most+c.perLine-1)/c.perLine <= min(last, lines-1) {
				t.Fatalf("%+v at %g: lines %d to %d are seen, results %d to %d drawn", c, offset, first, last, least, most)
			}
			if drawn > Slots*(int(c.view/c.line)+5)*c.perLine {
				t.Fatalf("%d results are drawn", drawn)
			}
		}
	}
}

func TestWindowMovesSeldom(t *testing.T) {
	var w Window
	changes := 0
	for offset := range 9600 {
		if w.Look(float64(offset), 900, 96, 1) {
			changes++
		}
	}
	if changes > 11 {
		t.Errorf("9,600 pixels of scrolling draw the list %d times", changes)
	}
	if w.Look(0, 900, 0, 1) || w.Look(0, 900, 96, 0) {
		t.Error("a list that is not on the screen yet moves the window")
	}
	if got := w.Offset(0, 500, 900); got != 0 {
		t.Errorf("the first result is seen at %g", got)
	}
	if got := w.Offset(20, 0, 900); got != 21*96-900 {
		t.Errorf("result 20 is seen at %g", got)
	}
	if got := w.Offset(7, 500, 900); got != 500 {
		t.Errorf("a result that is seen already scrolls to %g", got)
	}
}
