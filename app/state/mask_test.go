package state

import (
	"encoding/json"
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
		want := []Drawn{{Width: 20, Points: [][2]float64{{150, 100}, {300, 0}}}}
		if got := m.Draw(300, 200); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
	})
	t.Run("a dab has a beginning and an end", func(t *testing.T) {
		var m Mask
		m.Begin([2]float64{0.5, 0.5})
		if got := m.Draw(64, 64)[0].Points; len(got) != 2 || got[0] != got[1] {
			t.Errorf("the points are %v", got)
		}
	})
	t.Run("All covers every corner", func(t *testing.T) {
		var m Mask
		m.All()
		// Any point is at most a diagonal from the line, which is 2 shorter sides wide on either side.
		if l := m.Draw(64, 128)[0]; l.Width/2 < 128 {
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
	m.Key("Z", true, true)
	if len(m.Strokes) != 2 {
		t.Errorf("Control, Shift and Z left %d strokes, want 2", len(m.Strokes))
	}
	m.Key("z", false, true)
	m.Key("y", false, true)
	if len(m.Strokes) != 2 {
		t.Errorf("Control and y left %d strokes, want 2", len(m.Strokes))
	}
	m.Key("e", false, false)
	if !m.Erase {
		t.Error("e does not take the eraser")
	}
	for range 50 {
		m.Key("]", false, false)
	}
	if m.Brush != MaxBrush {
		t.Errorf("] makes a brush of %g", m.Brush)
	}
	for range 50 {
		m.Key("[", false, false)
	}
	if m.Brush != MinBrush {
		t.Errorf("[ makes a brush of %g", m.Brush)
	}
	if m.Key("z", false, false) || m.Key("Tab", false, false) || m.Key("ArrowLeft", false, true) || m.Key("[", false, true) {
		t.Error("a key that does nothing was taken from the browser")
	}
}

func TestMaskUndo(t *testing.T) {
	t.Run("what was taken back comes back, in order", func(t *testing.T) {
		m := Mask{Base: &Base{Bitmap: "a restored mask"}}
		m.Begin([2]float64{0, 0})
		m.Invert()
		want := m.Copy()
		for m.CanUndo() {
			m.Undo()
		}
		if !m.Empty() {
			t.Error("it is not empty after everything was taken back")
		}
		for m.CanRedo() {
			m.Redo()
		}
		if m.Base != want.Base || !reflect.DeepEqual(m.Strokes, want.Strokes) {
			t.Errorf("%+v, want %+v", m, want)
		}
	})
	t.Run("but not after something was painted", func(t *testing.T) {
		var m Mask
		m.Begin([2]float64{0, 0})
		m.Undo()
		m.Begin([2]float64{1, 1})
		if m.Redo(); m.CanRedo() || len(m.Strokes) != 1 {
			t.Errorf("%d strokes", len(m.Strokes))
		}
	})
	t.Run("a stroke that was given up is not brought back", func(t *testing.T) {
		var m Mask
		m.Begin([2]float64{0, 0})
		m.GiveUp()
		if !m.Empty() || m.CanRedo() {
			t.Error("something of it is left")
		}
	})
}

func TestMaskAsAWhole(t *testing.T) {
	t.Run("Clear takes everything away, and can be taken back", func(t *testing.T) {
		m := Mask{Base: &Base{Bitmap: "a restored mask"}}
		m.Begin([2]float64{0, 0})
		m.Clear()
		if !m.Empty() || m.CanClear() || len(m.Draw(8, 8)) != 0 || m.Beneath() != nil {
			t.Error("something is left")
		}
		m.Begin([2]float64{1, 1})
		if got := m.Draw(8, 8); len(got) != 1 || got[0].Points[0] != [2]float64{8, 8} {
			t.Errorf("afterwards %+v is drawn", got)
		}
		m.Undo()
		m.Undo()
		if m.Beneath() == nil || len(m.Draw(8, 8)) != 1 {
			t.Error("it did not come back")
		}
	})
	t.Run("a map beneath stays", func(t *testing.T) {
		m := Mask{Base: &Base{Bitmap: "a map"}, Fixed: true}
		if m.CanClear() {
			t.Error("a map can be cleared")
		}
		m.Begin([2]float64{0, 0})
		if m.Clear(); m.Beneath() == nil || m.Painted() {
			t.Error("the map is gone, or the paint is not")
		}
	})
	t.Run("Invert is drawn in its place, and twice is not at all", func(t *testing.T) {
		var m Mask
		m.Begin([2]float64{0, 0})
		m.Invert()
		m.Begin([2]float64{1, 1})
		if got := m.Draw(8, 8); len(got) != 3 || !got[1].Invert {
			t.Errorf("%+v is drawn", got)
		}
		m.Invert()
		m.Invert()
		if len(m.Strokes) != 3 {
			t.Errorf("%d strokes", len(m.Strokes))
		}
	})
	t.Run("a draft keeps both", func(t *testing.T) {
		var m, back Mask
		m.Begin([2]float64{0, 0})
		m.Invert()
		text, err := json.Marshal(m.Strokes)
		if err == nil {
			err = json.Unmarshal(text, &back.Strokes)
		}
		if err != nil || !reflect.DeepEqual(m.Strokes, back.Strokes) {
			t.Errorf("%s: %v", text, err)
		}
	})
}
