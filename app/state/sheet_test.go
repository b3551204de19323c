package state

import (
	"reflect"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
)

// stripOf returns the shots of a request as if all its pictures had come.
func stripOf(r Request) (shots Shots) {
	for i, label := range r.Labels {
		shots = append(shots, &Shot{Label: label, Result: &Result{Settings: r.Jobs[i], Label: label}})
	}
	return shots
}

func TestSheet(t *testing.T) {
	c := NewComposer()
	c.SetSeed(7)
	c.Settings.Prompt, c.Settings.Scheduler = "a fox", "euler_a"
	c.Settings.Width, c.Settings.Height = 64, 32
	c.AddPrompt(NewImagePrompt(pictureNamed("fox.png")))

	t.Run("the image prompts come first, as the encoder sees them", func(t *testing.T) {
		sheet, err := NewSheet(stripOf(c.ForWeightStrip("", nil)), Grid{}, c.Prompts)
		if err != nil {
			t.Fatal(err)
		}
		// A picture of 64 × 32 pixels is drawn 320 pixels wide. The square of an image prompt lies in the middle of
		// such a place.
		want := []Cell{
			{Picture: c.Prompts[0].Picture, Square: settings.Crop{X: 100, Y: 0, Size: 100}, X: 104, Y: 24, Width: 160, Height: 160, Label: "Image prompt", LabelX: 184, LabelY: 214},
			{Result: sheet.Cells[1].Result, X: 368, Y: 24, Width: 320, Height: 160, Label: "λ = 0", LabelX: 528, LabelY: 214},
		}
		if len(sheet.Cells) != 6 || !reflect.DeepEqual(sheet.Cells[:2], want) {
			t.Errorf("%d cells, the first two\n%+v, want\n%+v", len(sheet.Cells), sheet.Cells[:2], want)
		}
		if sheet.Width != 24+6*344 || sheet.Height != 298 {
			t.Errorf("it is %d × %d pixels", sheet.Width, sheet.Height)
		}
	})
	t.Run("a strip of weights shares its seed, and keeps the greatest weight", func(t *testing.T) {
		sheet, err := NewSheet(stripOf(c.ForWeightStrip("", nil)), Grid{}, c.Prompts)
		if err != nil {
			t.Fatal(err)
		}
		if want := "“a fox”  ·  seed 7  ·  20 steps  ·  Euler a  ·  guidance 5"; sheet.Foot != want {
			t.Errorf("%q, want %q", sheet.Foot, want)
		}
		if sheet.Settings.IPAdapters()[0].Lambda != 1 || sheet.FileName != "imprompt-strip-7.png" {
			t.Errorf("the file %s has a weight of %g", sheet.FileName, sheet.Settings.IPAdapters()[0].Lambda)
		}
	})
	t.Run("a strip of seeds does not, and keeps the first", func(t *testing.T) {
		sheet, err := NewSheet(stripOf(c.ForSeedStrip("", nil)), Grid{}, c.Prompts)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(sheet.Foot, "seed") || sheet.Settings.Seed != 7 {
			t.Errorf("%q, seed %d", sheet.Foot, sheet.Settings.Seed)
		}
	})
	t.Run("pictures that were left out have no place", func(t *testing.T) {
		shots := stripOf(c.ForWeightStrip("", nil))
		shots[0].Result, shots[4].Result = nil, nil
		sheet, err := NewSheet(shots, Grid{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(sheet.Cells) != 3 || sheet.Cells[0].Label != "λ = 0.25" || sheet.Settings.IPAdapters()[0].Lambda != 0.75 {
			t.Errorf("%d cells from %q, with a weight of %g", len(sheet.Cells), sheet.Cells[0].Label, sheet.Settings.IPAdapters()[0].Lambda)
		}
	})
	t.Run("words alone have no image prompts beside them", func(t *testing.T) {
		words := NewComposer()
		sheet, err := NewSheet(stripOf(words.ForSeedStrip("", nil)), Grid{}, c.Prompts)
		if err != nil || len(sheet.Cells) != 5 {
			t.Errorf("%d cells, %v", len(sheet.Cells), err)
		}
	})
	t.Run("a large picture has its own size", func(t *testing.T) {
		large := NewComposer()
		large.SuitModel(512)
		sheet, err := NewSheet(stripOf(large.ForSeedStrip("", nil)), Grid{}, nil)
		if err != nil || sheet.Cells[0].Width != 512 || sheet.Cells[0].Height != 512 {
			t.Errorf("%+v, %v", sheet.Cells[0], err)
		}
	})
	t.Run("a grid has heads, and image prompts above it", func(t *testing.T) {
		c.Axes = [2]Axis{{"lambda", "0, 1"}, {"steps", "2, 4, 8"}}
		r, err := c.ForGrid("", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		shots := stripOf(r)
		shots[1].Result = nil
		sheet, err := NewSheet(shots, r.Grid, c.Prompts)
		if err != nil {
			t.Fatal(err)
		}
		var heads []string
		for _, h := range sheet.Heads {
			heads = append(heads, h.Text)
		}
		if got := strings.Join(heads, ", "); got != "λ = 0, λ = 1, 2 steps, 4 steps, 8 steps" || len(sheet.Cells) != 1+5 {
			t.Errorf("%d cells with the heads %s", len(sheet.Cells), got)
		}
		// The picture that was left out keeps its place: the next one begins the second row.
		if a, b := sheet.Cells[1], sheet.Cells[2]; a.X != b.X || b.Y != a.Y+160+60 || sheet.Heads[3].Y != b.Y+80 || a.Label != "" {
			t.Errorf("%+v, then %+v, beside %+v", a, b, sheet.Heads[3])
		}
		if sheet.Foot != "“a fox”  ·  seed 7  ·  Euler a  ·  guidance 5" || sheet.FileName != "imprompt-grid-7.png" || sheet.Settings.NumInferenceSteps != 4 {
			t.Errorf("%q in %s, of %d steps", sheet.Foot, sheet.FileName, sheet.Settings.NumInferenceSteps)
		}
	})
	t.Run("a selection says what differs", func(t *testing.T) {
		a, b := resultOf("a fox", 1), resultOf("a fox", 2)
		sheet := SelectionSheet([]*Result{b, a})
		if len(sheet.Cells) != 2 || sheet.Cells[0].Result != a || sheet.Cells[0].Label != "seed 1" || strings.Contains(sheet.Foot, "seed") || sheet.Cells[1].Y != sheet.Cells[0].Y {
			t.Errorf("%+v, %q", sheet.Cells, sheet.Foot)
		}
	})
	t.Run("contact sheets hold as many as there are", func(t *testing.T) {
		var list []*Result
		for i := range 100 {
			list = append(list, resultOf("a fox", uint64(i)))
		}
		list[0].Settings.Width, list[0].Settings.Height = 512, 256
		sheets := ContactSheets(list)
		if len(sheets) != 3 || len(sheets[2].Cells) != 4 || sheets[0].Width > 2000 || sheets[2].FileName != "contact-sheet-3.png" {
			t.Errorf("%d sheets", len(sheets))
		}
		if c := sheets[0].Cells[0]; c.Width != 192 || c.Height != 96 {
			t.Errorf("a wide picture has %d × %d pixels", c.Width, c.Height)
		}
	})
	t.Run("nothing yet", func(t *testing.T) {
		if _, err := NewSheet(Shots{{Label: "λ = 0"}}, Grid{}, nil); err == nil {
			t.Error("an empty sheet was laid out")
		}
	})
}

func TestSamples(t *testing.T) {
	c := NewComposer()
	c.AddPrompt(NewImagePrompt(pictureNamed("other.png")))
	c.Try(Samples[0], &Undo{})
	if len(c.Prompts) != 0 || c.Settings.Prompt != "fox on a yellow background" {
		t.Errorf("%d image prompts, %q", len(c.Prompts), c.Settings.Prompt)
	}
	if got := Samples[0].Offer(); got != "This fox, on a yellow background" {
		t.Errorf("%q", got)
	}
}
