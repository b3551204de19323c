package state

import (
	"reflect"
	"testing"
)

func TestMaskEmpty(t *testing.T) {
	var m Mask
	if !m.Empty() {
		t.Error("a new mask is not empty")
	}
	m.Begin([2]float64{0.5, 0.5})
	if m.Empty() {
		t.Error("a mask with a dab is empty")
	}
	m.Undo()
	if !m.Empty() {
		t.Error("a mask is not empty after its only stroke was undone")
	}
	m.Base = &Base{Bitmap: "a restored mask"}
	if m.Empty() {
		t.Error("a restored mask is empty")
	}
	m.Undo()
	if !m.Empty() {
		t.Error("Undo did not remove the restored mask")
	}
}

func TestMaskStrokes(t *testing.T) {
	t.Run("keep the brush and the tool that they were begun with", func(t *testing.T) {
		var m Mask
		m.Begin([2]float64{0, 0})
		m.Brush, m.Erase = 0.5, true
		m.Begin([2]float64{1, 1})
		m.Extend([2]float64{0, 1})
		want := []Stroke{
			{Brush: DefaultBrush, Points: [][2]float64{{0, 0}}},
			{Erase: true, Brush: 0.5, Points: [][2]float64{{1, 1}, {0, 1}}},
		}
		if !reflect.DeepEqual(m.Strokes, want) {
			t.Errorf("%+v, want %+v", m.Strokes, want)
		}
	})
	t.Run("scale with the canvas, the brush with its shorter side", func(t *testing.T) {
		m := Mask{Strokes: []Stroke{{Brush: 0.1, Points: [][2]float64{{0.5, 0.5}, {1, 0}}}}}
		want := []Line{{Width: 20, Points: [][2]float64{{150, 100}, {300, 0}}}}
		if got := m.Lines(300, 200); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
	})
	t.Run("a dab has a beginning and an end", func(t *testing.T) {
		var m Mask
		m.Begin([2]float64{0.5, 0.5})
		if got := m.Lines(64, 64)[0].Points; len(got) != 2 || got[0] != got[1] {
			t.Errorf("the points are %v", got)
		}
	})
	t.Run("All covers every corner", func(t *testing.T) {
		var m Mask
		m.All()
		// Any point is at most a diagonal from the line, which is 2 shorter sides wide on either side.
		if l := m.Lines(64, 128)[0]; l.Width/2 < 128 {
			t.Errorf("the line is %g wide", l.Width)
		}
	})
	t.Run("a copy is not painted on", func(t *testing.T) {
		var m Mask
		m.Begin([2]float64{0, 0})
		c := m.Copy()
		m.Undo()
		m.Begin([2]float64{1, 1})
		if got := c.Strokes[0].Points[0]; got != [2]float64{0, 0} {
			t.Errorf("the copy has a stroke at %v", got)
		}
	})
}

func TestMaskKeys(t *testing.T) {
	var m Mask
	m.Key("ArrowRight", false, false)
	m.Key("ArrowUp", false, false)
	if m.Cursor != [2]float64{0.05, 0} || !m.Empty() {
		t.Errorf("arrows alone: the brush is at %v, %d strokes", m.Cursor, len(m.Strokes))
	}
	m.Key("ArrowDown", true, false)
	if want := [][2]float64{{0.05, 0}, {0.05, 0.05}}; len(m.Strokes) != 1 || !reflect.DeepEqual(m.Strokes[0].Points, want) {
		t.Errorf("Shift and an arrow: %+v, want a stroke of %v", m.Strokes, want)
	}
	m.Key(" ", false, false)
	if len(m.Strokes) != 2 || len(m.Strokes[1].Points) != 1 {
		t.Errorf("Space: %+v, want a dab", m.Strokes)
	}
	m.Key("z", false, true)
	if len(m.Strokes) != 1 {
		t.Errorf("Control and z left %d strokes, want 1", len(m.Strokes))
	}
	if m.Key("z", false, false) || m.Key("Tab", false, false) {
		t.Error("a key that does nothing was taken from the browser")
	}
	if x, y, radius := m.Ring(100, 200); x != 5 || y != 10 || radius != 7.5 {
		t.Errorf("the ring is at (%g, %g) with a radius of %g", x, y, radius)
	}
}
