package state

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
)

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		text  string
		whole bool
		want  string // or what the error has
	}{
		{"1, 2, 5", true, "[1 2 5]"},
		{"1-5", true, "[1 2 3 4 5]"},
		{"5-1", true, "[5 4 3 2 1]"},
		{"1-10 (+2)", true, "[1 3 5 7 9]"},
		{"10-1 (-3)", true, "[10 7 4 1]"},
		{"1-10 [4]", true, "[1 4 7 10]"},
		{"0-10 [4]", true, "[0 3 6 10]"}, // as numpy's linspace, cut to whole numbers
		{"0-1 (+0.25)", false, "[0 0.25 0.5 0.75 1]"},
		{"0-1 (0.1)", false, "[0 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9 1]"},
		{"0-1 [3]", false, "[0 0.5 1]"},
		{" 0.2 , 0.4-0.6(+0.1),", false, "[0.2 0.4 0.5 0.6]"},
		{"-1-1", false, "[-1 0 1]"},
		{"3–4", true, "[3 4]"},
		{"7-7", true, "[7]"},
		{"", true, "[]"},
		{"1-5 (+0)", true, "never arrives"},
		{"1-5 (-1)", true, "never arrives"},
		{"0-1 [1]", false, "2 or more"},
		{"1-2000000000", true, "too many"},
		{"0-1 (+0.000001)", false, "too many"},
		{"0-1 [99999999999999999999]", false, "too many"},
		{"1.5", true, "not a whole number"},
		{"ten", false, "not a number"},
		{"NaN", false, "not a number"},
		{"1e300", false, "not a number"},
		{"1.2.3-4", false, "not a number"},
	} {
		list, err := numbers(c.text, c.whole)
		if got := fmt.Sprint(list); err == nil && (len(list) > 0 || c.want != "[]") && got != c.want {
			t.Errorf("%q gives %s, want %s", c.text, got, c.want)
		} else if err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
	}
	if got := commas(`fox, "a cat, asleep", , dog`); !slices.Equal(got, []string{"fox", "a cat, asleep", "dog"}) {
		t.Errorf("%q", got)
	}
}

func TestGrid(t *testing.T) {
	c := NewComposer()
	c.SetSeed(7)
	c.Settings.Prompt, c.Settings.NumImages = "a fox <lora:ink:1>", 4
	c.AddPrompt(NewImagePrompt(pictureNamed("a.png")))
	c.AddPrompt(NewImagePrompt(pictureNamed("b.png")))
	models := []Choice{{ID: "one", Name: "One"}, {ID: "two/model", Name: "Two"}}
	ask := func(x, y Axis) (Request, error) {
		c.Axes = [2]Axis{x, y}
		return c.ForGrid("one", nil, models)
	}
	t.Run("two weights", func(t *testing.T) {
		r, err := ask(Axis{"lambda1", "0, 1"}, Axis{"lambda2", "0-1 [3]"})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i, s := range r.Jobs {
			got = append(got, fmt.Sprintf("%s: %g %g", r.Labels[i], s.IPAdapters()[0].Lambda, s.IPAdapters()[1].Lambda))
			if s.Seed != 7 || s.NumImages != 1 {
				t.Errorf("picture %d has seed %d and comes %d times", i, s.Seed, s.NumImages)
			}
		}
		want := "λ₁ = 0 · λ₂ = 0: 0 0|λ₁ = 1 · λ₂ = 0: 1 0|λ₁ = 0 · λ₂ = 0.5: 0 0.5|λ₁ = 1 · λ₂ = 0.5: 1 0.5|λ₁ = 0 · λ₂ = 1: 0 1|λ₁ = 1 · λ₂ = 1: 1 1"
		if s := strings.Join(got, "|"); s != want {
			t.Errorf("%s, want %s", s, want)
		}
		if !slices.Equal(r.Grid.Columns, []string{"λ₁ = 0", "λ₁ = 1"}) || len(r.Grid.Rows) != 3 || r.Grid.Flat() || c.GridSize(models) != 6 {
			t.Errorf("%+v, %d pictures", r.Grid, c.GridSize(models))
		}
	})
	t.Run("every kind of axis changes what it says", func(t *testing.T) {
		c.Start, c.Structures = pictureNamed("s.png"), []*Structure{NewStructure(pictureNamed("m.png"))}
		c.Settings.Scheduler = "ddim"
		for _, k := range c.AxisKinds(models) {
			values := k.Example
			if k.Kind == "words" {
				values = "fox, cat"
			}
			r, err := ask(Axis{k.Kind, values}, Axis{})
			if err != nil {
				t.Errorf("%s: %v", k.Kind, err)
				continue
			}
			seen := map[string]bool{}
			for _, s := range r.Jobs {
				text, _ := jsonOf(s)
				seen[text] = true
				if err := s.Validate(); err != nil {
					t.Errorf("%s: %v", k.Kind, err)
				}
			}
			if len(seen) != len(r.Jobs) || len(r.Jobs) < 2 || !r.Grid.Flat() || len(r.Grid.Columns) != len(r.Jobs) {
				t.Errorf("%s: %d of %d pictures differ: %v", k.Kind, len(seen), len(r.Jobs), r.Labels)
			}
		}
		c.Start, c.Structures = nil, nil
	})
	t.Run("names may be short, and a model is loaded once", func(t *testing.T) {
		r, err := ask(Axis{"model", "tw, ONE"}, Axis{"scheduler", "unipc, ddim"})
		if err != nil {
			t.Fatal(err)
		}
		if r.Jobs[0].Model != "two/model" || r.Jobs[1].Model != "two/model" || r.Jobs[2].Model != "one" || !slices.Equal(r.Grid.Rows, []string{"Two", "One"}) {
			t.Errorf("%s %s %s, %+v", r.Jobs[0].Model, r.Jobs[1].Model, r.Jobs[2].Model, r.Grid)
		}
	})
	for _, e := range []struct{ x, y, want string }{
		{"", "", "choose what differs"},
		{"steps:", "", "has no values"},
		{"steps:ten", "", "Steps: \"ten\" is not a number"},
		{"steps:1-20", "seed:1-20", "400 pictures"},
		{"scheduler:eul", "", "Euler"},
		{"scheduler:nonsense", "", "choose from"},
		{"words:wolf, dog", "", "is not in the prompt"},
		{"strength:0.5", "", "nothing composed that the Strength axis"},
	} {
		axis := func(text string) Axis {
			kind, values, _ := strings.Cut(text, ":")
			return Axis{kind, values}
		}
		if _, err := ask(axis(e.x), axis(e.y)); err == nil || !strings.Contains(err.Error(), e.want) {
			t.Errorf("%s and %s: %v, want %s", e.x, e.y, err, e.want)
		}
		if n := c.GridSize(models); e.want != "400 pictures" && n != 0 {
			t.Errorf("%s and %s: %d pictures", e.x, e.y, n)
		}
	}
	r, err := ask(Axis{"guidance", "300"}, Axis{})
	if err != nil || !strings.Contains(r.Problem(NewLibrary(nil, &Undo{})).Text, "guidance_scale is 300") {
		t.Errorf("a value that no picture can have: %v", err)
	}
}

// Models that take other adapters cannot be compared in one grid.
func TestGridModels(t *testing.T) {
	l := &Library{}
	if got := l.GridModels(); got != nil {
		t.Errorf("beside the demo model: %v", got)
	}
	l.Chosen = Choice{ID: "one", CrossDim: 768}
	if got := l.GridModels(); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

func jsonOf(s settings.Settings) (string, error) {
	text, err := json.Marshal(s)
	return string(text), err
}
