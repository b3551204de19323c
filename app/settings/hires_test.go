package settings

import (
	"strings"
	"testing"
)

func twice(change func(s *Settings)) Settings {
	s := Default()
	s.Prompt, s.Scheduler, s.NumInferenceSteps, s.PromptWeights, s.HiresScale = "a fox", "euler", 20, true, 1.5
	if change != nil {
		change(&s)
	}
	return s
}

// The second pass has the size that A1111 gives it, and steps and a strength of its own.
func TestSecondPass(t *testing.T) {
	s := twice(func(s *Settings) { s.Width, s.Height = 520, 200 })
	second := s.Second()
	if second.Width != 776 || second.Height != 296 || second.Strength != 0.7 || second.NumInferenceSteps != 20 || second.Twice() {
		t.Errorf("%+v", second)
	}
	if w, h := Default().OutputSize(); w != 512 || h != 512 {
		t.Errorf("one pass makes %d × %d pixels", w, h)
	}
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
	for name, c := range map[string]Settings{
		"hires_scale":        twice(func(s *Settings) { s.HiresScale = 9 }),
		"hires_scale 4":      twice(func(s *Settings) { s.HiresScale, s.Width = 4, 2048 }),
		"hires_strength":     twice(func(s *Settings) { s.HiresStrength = 1.5 }),
		"hires_upscaler":     twice(func(s *Settings) { s.HiresUpscaler = "4x-UltraSharp" }),
		"init_image":         twice(func(s *Settings) { s.InitImage = "a.png" }),
		"leave no step":      twice(func(s *Settings) { s.HiresSteps, s.HiresStrength = 2, 0.2 }),
		"tile_size is given": twice(func(s *Settings) { s.HiresScale, s.TileSize = 0, 512 }),
		"tile_overlap": twice(func(s *Settings) {
			s.HiresScale, s.InitImage, s.TileSize, s.TileOverlap = 0, "a.png", 512, 300
		}),
		"steers a place": twice(func(s *Settings) {
			c := DefaultControlNet()
			c.Map = "b.png"
			s.HiresScale, s.InitImage, s.TileSize, s.Guides = 0, "a.png", 512, Guides{&c}
		}),
	} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A1111's words for the second pass are written, and mean the same when they are read: the steps are those that are run.
func TestHiresText(t *testing.T) {
	s := twice(func(s *Settings) { s.HiresStrength, s.HiresSteps, s.HiresUpscaler = 0.5, 30, "Latent (bicubic)" })
	text := s.Format()
	const want = "Denoising strength: 0.5, Hires upscale: 1.5, Hires steps: 15, Hires upscaler: Latent (bicubic)"
	if !strings.Contains(text, want) {
		t.Errorf("%s", text)
	}
	back, err := Parse(text)
	if err != nil || !equal(back, s) || back.HiresScale != 1.5 || back.HiresSteps != 30 || back.HiresStrength != 0.5 || back.HiresUpscaler != "Latent (bicubic)" {
		t.Errorf("%+v, %v", back, err)
	}
	for n := 1; n < 60; n++ {
		for _, strength := range []float64{0.1, 0.3, 0.45, 0.7, 1} {
			s.HiresStrength = strength
			if s.setSecondSteps(n); s.secondSteps() != n {
				t.Errorf("%d steps at %g are %d of %d", n, strength, s.secondSteps(), s.HiresSteps)
			}
		}
	}
	back, err = Parse("a\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 1, Size: 512x512, Denoising strength: 0.7, Hires upscale: 2, Hires upscaler: Latent (antialiased), Version: v1.10.1")
	if err != nil || back.HiresScale != 2 || back.HiresUpscaler != "" || back.secondSteps() != 20 || back.Strength != Default().Strength {
		t.Errorf("%+v, %v", back, err)
	}
}

// A picture that was drawn in tiles says so in A1111's words.
func TestTilesText(t *testing.T) {
	s := twice(func(s *Settings) { s.HiresScale, s.InitImage, s.TileSize, s.TileOverlap = 0, "a.png", 512, 64 })
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
	if text := s.Format(); !strings.Contains(text, "SD upscale overlap: 64, SD upscale upscaler: Lanczos") {
		t.Error(text)
	}
	a, c := DefaultIPAdapter(), DefaultControlNet()
	s.Guides = Guides{&a, &c}
	if kept, left := s.WithoutPlaced(); left != 1 || len(kept.Guides) != 1 || len(s.Guides) != 2 {
		t.Errorf("%d are left out of %d", left, len(s.Guides))
	}
}

// An upscaled picture keeps its words and is drawn in tiles if it is large.
func TestUpscaled(t *testing.T) {
	s := twice(func(s *Settings) { s.Mask = "m.png" })
	s.InitImage = "a.png"
	small, large := s.Upscaled(512, 300, 1.5, 512), s.Upscaled(768, 512, 2, 512)
	if small.Width != 768 || small.Height != 448 || small.TileSize != 0 || small.Strength != 0.3 || small.Twice() || small.Mask != "" {
		t.Errorf("%+v", small)
	}
	if large.Width != 1536 || large.TileSize != 512 || large.TileOverlap != 64 || large.Prompt != "a fox" {
		t.Errorf("%+v", large)
	}
	s.NumInferenceSteps = 1
	few := s.Upscaled(768, 512, 2, 512)
	for _, s := range []Settings{large, few} {
		if err := s.Validate(); err != nil {
			t.Error(err)
		}
	}
}
