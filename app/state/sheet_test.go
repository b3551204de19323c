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
		sheet, err := NewSheet(stripOf(c.ForWeightStrip("", nil)), c.Prompts)
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
		sheet, err := NewSheet(stripOf(c.ForWeightStrip("", nil)), c.Prompts)
		if err != nil {
			t.Fatal(err)
		}
		if want := "“a fox”  ·  seed 7  ·  20 steps, Euler a, guidance 5"; sheet.Foot != want {
			t.Errorf("%q, want %q", sheet.Foot, want)
		}
		if sheet.Settings.IPAdapters()[0].Lambda != 1 || sheet.FileName != "imprompt-strip-7.png" {
			t.Errorf("the file %s has a weight of %g", sheet.FileName, sheet.Settings.IPAdapters()[0].Lambda)
		}
	})
	t.Run("a strip of seeds does not, and keeps the first", func(t *testing.T) {
		sheet, err := NewSheet(stripOf(c.ForSeedStrip("", nil)), c.Prompts)
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
		sheet, err := NewSheet(shots, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(sheet.Cells) != 3 || sheet.Cells[0].Label != "λ = 0.25" || sheet.Settings.IPAdapters()[0].Lambda != 0.75 {
			t.Errorf("%d cells from %q, with a weight of %g", len(sheet.Cells), sheet.Cells[0].Label, sheet.Settings.IPAdapters()[0].Lambda)
		}
	})
	t.Run("words alone have no image prompts beside them", func(t *testing.T) {
		words := NewComposer()
		sheet, err := NewSheet(stripOf(words.ForSeedStrip("", nil)), c.Prompts)
		if err != nil || len(sheet.Cells) != 5 {
			t.Errorf("%d cells, %v", len(sheet.Cells), err)
		}
	})
	t.Run("a large picture has its own size", func(t *testing.T) {
		large := NewComposer()
		large.SuitModel(512)
		sheet, err := NewSheet(stripOf(large.ForSeedStrip("", nil)), nil)
		if err != nil || sheet.Cells[0].Width != 512 || sheet.Cells[0].Height != 512 {
			t.Errorf("%+v, %v", sheet.Cells[0], err)
		}
	})
	t.Run("nothing yet", func(t *testing.T) {
		if _, err := NewSheet(Shots{{Label: "λ = 0"}}, nil); err == nil {
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
