package state

import (
	"fmt"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
)

func TestStageEdits(t *testing.T) {
	c, g := NewComposer(), &Gallery{}
	im := NewImagePrompt(&Picture{Name: "fox.png", Width: 300, Height: 200})
	c.AddPrompt(im)
	c.SetStart(&Picture{Width: 64, Height: 64})
	s := NewStructure(&Picture{})
	c.AddStructure(s)
	a, b := &Result{URL: "a"}, &Result{URL: "b"}

	var stage Stage
	masks := map[Editing]*Mask{{What: EditStart}: &c.StartMask, {What: EditWhere, Prompt: im}: &im.Mask, {What: EditMap, Structure: s}: &s.Map}
	for e, want := range masks {
		stage.Edit(e, a)
		stage.Settle(c, g, a)
		if got := stage.Editing(); got != e || got.Mask(c) != want || got.Crop() != nil || got.Title() == "" || got.Hint() == "" || !stage.View.Large {
			t.Errorf("%s: %+v is edited, the mask %p, want %p", e.What, got, got.Mask(c), want)
		}
		stage.Settle(c, g, b)
		if ended := stage.Editing().What == ""; ended == (e.What == EditWhere) {
			t.Errorf("%s: another picture on the stage ends it: %v", e.What, ended)
		}
		stage.Done()
	}
	stage.Edit(Editing{What: EditBorders}, a)
	stage.Settle(c, g, a)
	if got := stage.Editing(); got.What != EditBorders || got.Mask(c) != nil || got.Crop() != nil || !stage.View.Around || got.Title() == "" || got.Hint() == "" {
		t.Errorf("%+v is edited", got)
	}
	c.SetStart(nil)
	if stage.Settle(c, g, a); stage.Editing().What != "" || stage.View.Around {
		t.Error("the edges of a start picture that was removed are still edited")
	}
	crop := Editing{What: EditCrop, Prompt: im}
	stage.Edit(crop, a)
	stage.Settle(c, g, a)
	if got := stage.Editing(); got.Crop() != &im.Crop || got.Mask(c) != nil {
		t.Errorf("%+v is edited", got)
	}
	if stage.Edit(crop, a); stage.Editing().What != "" || stage.View.Large || stage.Done() {
		t.Error("the same again does not end it")
	}
	stage.Edit(crop, a)
	c.RemovePrompt(im)
	if stage.Settle(c, g, a); stage.Editing().What != "" {
		t.Error("what was removed is still edited")
	}
}

func TestStageCrisp(t *testing.T) {
	var s Stage
	s.View.Resize(800, 600)
	s.View.Show(128, 128)
	if !s.Crisp() {
		t.Error("a small picture is not crisp")
	}
	s.View.Show(512, 512)
	if s.Crisp() {
		t.Error("a picture that fits is crisp")
	}
	if s.ToggleCrisp(); !s.Crisp() {
		t.Error("it was made crisp")
	}
	if s.ToggleCrisp(); s.Crisp() {
		t.Error("it was made smooth")
	}
}

// drawn returns a result of a seed, with an image prompt of a weight.
func drawn(url string, seed uint64, weight float64) *Result {
	s := settings.Default()
	s.Prompt, s.Seed = "a fox", seed
	s.Guides = settings.Guides{&settings.IPAdapter{Lambda: weight, Images: []settings.ImagePrompt{{Picture: "fox.png"}}}}
	return &Result{Settings: s, URL: url}
}

func TestCompare(t *testing.T) {
	a, b, c := drawn("a", 1, 0), drawn("b", 1, 0.5), drawn("c", 2, 0.5)
	c.Settings.InitImage = "start-x.png"
	g := &Gallery{Results: []*Result{c, b, a}}
	labels := func(shown *Result) (list []string) {
		for _, o := range g.Others(shown) {
			list = append(list, o.ID()+": "+o.Label)
		}
		return list
	}
	t.Run("what tells most comes first", func(t *testing.T) {
		for shown, want := range map[*Result]string{
			a: "[b: Same seed, λ = 0.5 c: a fox]",
			b: "[a: Same seed, λ = 0 c: a fox]",
			c: "[start: Start picture b: a fox a: a fox]",
		} {
			if got := fmt.Sprint(labels(shown)); got != want {
				t.Errorf("%s: %s, want %s", shown.URL, got, want)
			}
		}
		if g.Others(nil) != nil {
			t.Error("without a picture there is something to compare it with")
		}
	})
	var s Stage
	composer := NewComposer()
	want := func(t *testing.T, shown *Result, id string) {
		t.Helper()
		s.Settle(composer, g, shown)
		if got := s.Compare.With; got.Label == "" || got.ID() != id {
			t.Errorf("%s is compared with %+v, want %s", shown.URL, got, id)
		}
	}
	t.Run("the other stays while pictures are put on the stage", func(t *testing.T) {
		s.Compare.Toggle()
		want(t, a, "b")
		want(t, c, "b")
		want(t, b, "c") // the same twice would show nothing
		s.Compare.Choose(g, "a")
		want(t, b, "a")
	})
	t.Run("one that is gone makes room", func(t *testing.T) {
		back := g.Remove(a)
		want(t, b, "c")
		back()
	})
	t.Run("a start picture is that of the picture on the stage", func(t *testing.T) {
		s.Compare.Toggle()
		s.Compare = Compare{}
		s.Compare.Toggle()
		want(t, c, "start")
		want(t, b, "a")
	})
	t.Run("a picture alone is not compared", func(t *testing.T) {
		if s.Settle(composer, &Gallery{Results: []*Result{a}}, a); s.Compare.On {
			t.Errorf("it is compared with %+v", s.Compare.With)
		}
	})
	t.Run("any two", func(t *testing.T) {
		s.Compare.Two(g, b, c)
		want(t, g.Shown, "b")
		if g.Shown != c || !s.Compare.On {
			t.Errorf("%s is shown", g.Shown.URL)
		}
	})
	t.Run("keys move the line", func(t *testing.T) {
		s.Compare.Key("ArrowRight")
		s.Compare.Key("PageUp")
		if got := fmt.Sprintf("%.2f", s.Compare.Line); got != "0.62" {
			t.Errorf("the line is at %s", got)
		}
		if s.Compare.Key("End"); s.Compare.Line != 1 {
			t.Errorf("the line is at %g", s.Compare.Line)
		}
		if s.Compare.Key("Home"); s.Compare.Line != 0 || s.Compare.Key("x") {
			t.Errorf("the line is at %g", s.Compare.Line)
		}
	})
}
