package state

import "testing"

func galleryOf(n int) (*Gallery, []*Result) {
	var list []*Result
	for i := range n {
		list = append(list, resultOf(string(rune('a'+i)), uint64(i)))
	}
	g := &Gallery{}
	g.Restored(list)
	return g, list
}

func TestPress(t *testing.T) {
	g, r := galleryOf(5)
	step := func(what string, do func(), want string) {
		t.Helper()
		if do(); titles(g.Selected()) != want {
			t.Errorf("%s: %q is picked, want %q", what, titles(g.Selected()), want)
		}
	}
	step("a press", func() { g.Press(r[1], false, false, true) }, "")
	if g.Shown != r[1] || g.Lightbox {
		t.Error("a press does not show the picture on the stage")
	}
	step("shift", func() { g.Press(r[3], false, true, true) }, "b, c, d")
	step("shift, the other way", func() { g.Press(r[0], false, true, true) }, "a, b")
	step("ctrl", func() { g.Press(r[4], true, false, true) }, "a, b, e")
	step("ctrl again", func() { g.Press(r[0], true, false, true) }, "b, e")
	if g.Shown != r[1] {
		t.Error("picking shows another picture")
	}
	step("a plain press", func() { g.Press(r[2], false, false, true) }, "")
	g.Picking = true
	step("while picking", func() { g.Press(r[2], false, false, false) }, "c")
	step("a removed one", func() { g.Remove(r[2]) }, "")
	g.Unpick()
	if g.Press(r[3], false, false, false); !g.Lightbox {
		t.Error("where the stage is not beside the gallery, there is no lightbox")
	}
	if !g.Step(1) || g.Shown != r[4] || g.Step(1) || !g.Step(-1) || g.Shown != r[3] || !g.Lightbox {
		t.Error("the lightbox does not go to the pictures beside this one")
	}
}

// What a search does not find is not picked any more, so that Delete takes only what is seen.
func TestSearchUnpicks(t *testing.T) {
	g, r := galleryOf(3)
	g.PickAll()
	g.SetSearch(Search{Words: "b"})
	if got := g.Targets(); len(got) != 1 || got[0] != r[1] {
		t.Errorf("%s", titles(got))
	}
}

func TestGalleryKeys(t *testing.T) {
	g, r := galleryOf(10)
	key := func(name string, ctrl, shift bool, want GalleryKey, active int) {
		t.Helper()
		if got := g.Key(name, ctrl, shift, 4, 2); got != want {
			t.Errorf("%s gives %d, want %d", name, got, want)
		}
		if active >= 0 && g.Active() != r[active] {
			t.Errorf("after %s the keys are at %v, want %s", name, g.Active(), r[active].Title())
		}
	}
	key("Enter", false, false, KeyUnknown, -1)
	key("ArrowRight", false, false, KeyDone, 0)
	if g.Shown != r[0] {
		t.Error("an arrow does not show the picture beside the stage")
	}
	g.Opened = true
	key("ArrowRight", false, false, KeyDone, 1)
	if g.Shown != r[0] {
		t.Error("an arrow shows a picture while the stage is not seen")
	}
	key("ArrowDown", false, false, KeyDone, 5)
	key("ArrowDown", false, false, KeyDone, 9)
	key("ArrowDown", false, false, KeyDone, 9)
	key("ArrowUp", false, false, KeyDone, 5)
	key("Home", false, false, KeyDone, 0)
	key("ArrowLeft", false, false, KeyDone, 0)
	key("PageDown", false, false, KeyDone, 8)
	key("PageUp", false, false, KeyDone, 0)
	key("End", false, false, KeyDone, 9)
	key("ArrowLeft", false, true, KeyDone, 8)
	key("ArrowLeft", false, true, KeyDone, 7)
	if got := titles(g.Selected()); got != "h, i, j" {
		t.Errorf("Shift and arrows pick %q", got)
	}
	key("s", false, false, KeyStar, 7)
	key("Delete", false, false, KeyDelete, 7)
	key("Escape", false, false, KeyDone, 7)
	key("Escape", false, false, KeyUnknown, 7)
	key(" ", false, false, KeyDone, 7)
	if !g.Picked(r[7]) {
		t.Error("the space bar does not pick")
	}
	key("a", true, false, KeyDone, 7)
	if g.PickedCount() != 10 {
		t.Errorf("Ctrl+A picks %d", g.PickedCount())
	}
	key("a", false, false, KeyUnknown, 7)
	g.Unpick()
	key("Enter", false, false, KeyDone, 7)
	if g.Shown != r[7] || !g.Lightbox {
		t.Error("Enter does not show the picture")
	}
	// What is deleted leaves the keys at its place.
	g.Remove(r[7])
	if g.Active() != r[8] {
		t.Error("the keys are lost with the picture that was deleted")
	}
	g.Opened, g.Lightbox = false, false
	if g.Key("ArrowDown", false, false, 1, 1) != KeyUnknown {
		t.Error("a film takes the key that scrolls the page")
	}
	if (&Gallery{}).Key("ArrowRight", false, false, 1, 1) != KeyUnknown {
		t.Error("an empty gallery takes keys")
	}
}
