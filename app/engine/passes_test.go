//go:build !js

package engine

import (
	"context"
	"slices"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
)

// drawnInPasses draws on a planner, and returns the sizes of the pictures, the passes as they came, and the share of the work
// that each event says is done.
func drawnInPasses(t *testing.T, s settings.Settings, skip func(ev Event) bool) (sizes [][3]int, passes []int) {
	t.Helper()
	e := New(gpu.NewPlanner(true, roomy()), readFullSize(t))
	defer e.Unload()
	s.Model, s.Prompt, s.NumInferenceSteps, s.GuidanceScale = "sd15", "a fox", 2, 1
	last := 0.0
	err := e.Generate(context.Background(), s, Pictures{"start.png": grey(128, 96)}, func(ev Event) {
		if ev.Stage != "denoise" && ev.Stage != "decode" {
			return
		}
		if skip != nil && skip(ev) {
			ev.Skip()
		}
		if len(passes) == 0 || passes[len(passes)-1] != ev.Pass {
			passes = append(passes, ev.Pass)
		}
		done := ev.Before + float64(ev.Step)
		all := ev.Before + float64(ev.Steps) + ev.After
		if done/all < last || done > all {
			t.Errorf("pass %d: %g of %g is less than %g", ev.Pass, done, all, last)
		}
		last = done / all
	}, func(r Result) error {
		sizes = append(sizes, [3]int{r.Index, r.Width, r.Height})
		if len(r.RGBA) != 4*r.Width*r.Height || r.Settings.NumImages != 1 || r.Settings.Seed != s.Seed+uint64(r.Index) || r.Settings.HiresScale != s.HiresScale {
			t.Errorf("%+v", r.Settings)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return sizes, passes
}

// All pictures are drawn once before any is drawn a second time, larger; one that is skipped in the first pass does not come.
func TestTwice(t *testing.T) {
	s := settings.Default()
	s.Width, s.Height, s.NumImages, s.HiresScale = 96, 64, 3, 1.5
	sizes, passes := drawnInPasses(t, s, func(ev Event) bool { return ev.Pass == 0 && ev.Image == 1 && ev.Step == 1 })
	if !slices.Equal(sizes, [][3]int{{0, 144, 96}, {2, 144, 96}}) || !slices.Equal(passes, []int{0, 1}) {
		t.Errorf("pictures %v in passes %v", sizes, passes)
	}
}

// A start picture is drawn again in tiles, enlarged.
func TestTiles(t *testing.T) {
	s := settings.Default()
	s.InitImage, s.Width, s.Height, s.Strength, s.TileSize, s.TileOverlap = "start.png", 256, 192, 0.5, 128, 16
	sizes, passes := drawnInPasses(t, s, nil)
	if !slices.Equal(sizes, [][3]int{{0, 256, 192}}) || !slices.Equal(passes, []int{0, 1, 2, 3, 4, 5}) {
		t.Errorf("pictures %v in passes %v", sizes, passes)
	}
	if s.TileCount() != len(passes) {
		t.Errorf("%d tiles are counted", s.TileCount())
	}
}
