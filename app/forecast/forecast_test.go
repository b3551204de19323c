package forecast

import (
	"math"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
)

// A card that does 10 TFLOP/s of convolutions, and everything else in no time.
var convolutions = Card{Paces: map[string]float64{"conv/large": 1e-13, "conv/small": 1e-13}}

func run(change func(s *settings.Settings)) Run {
	s := settings.Default()
	s.Model, s.NumInferenceSteps = "sd15", 20
	change(&s)
	return Of(s)
}

func near(a, b float64) bool { return math.Abs(a-b) < 0.01*math.Abs(b) }

// Convolutions take as long as they have operations, of which there are as many as pixels.
func TestSizes(t *testing.T) {
	at := func(w, h int) float64 {
		r := run(func(s *settings.Settings) { s.Width, s.Height = w, h })
		return convolutions.Step(r) - gap*float64(loads[SD15][0].Dispatches)
	}
	whole := at(512, 512)
	for _, c := range []struct {
		w, h int
		want float64
	}{{256, 256, 0.25}, {640, 640, 1.5625}, {512, 768, 1.5}, {1024, 1024, 4}} {
		if got := at(c.w, c.h) / whole; !near(got, c.want) {
			t.Errorf("%d × %d takes %.3f times as long as 512 × 512, want %.3f", c.w, c.h, got, c.want)
		}
	}
	if small := at(128, 128) / whole; small < 0.04 || small > 0.07 {
		t.Errorf("128 × 128 takes %.3f times as long as 512 × 512", small)
	}
	if whole < 0.03 || whole > 0.2 {
		t.Errorf("the convolutions of a step take %.3f s at 10 TFLOP/s", whole)
	}
}

// A shape that was not measured has the pace of another of its class.
func TestMissingPace(t *testing.T) {
	r := run(func(*settings.Settings) {})
	if a, b := convolutions.Step(r), (Card{Paces: map[string]float64{"conv/small": 1e-13}}).Step(r); !near(a, b) {
		t.Errorf("%g, want %g", b, a)
	}
}

func TestRuns(t *testing.T) {
	whole := run(func(*settings.Settings) {})
	if r := run(func(s *settings.Settings) { s.GuidanceScale = 1 }); !near(2*convolutions.Step(r), convolutions.Step(whole)) {
		t.Error("a step without guidance does not take half as long")
	}
	if r := run(func(s *settings.Settings) { s.GuidanceStart, s.GuidanceStop = 0.1, 0.6 }); !near(convolutions.Step(r), 0.75*convolutions.Step(whole)) {
		t.Error("guidance in half of the steps does not take three quarters of the time")
	}
	if r := run(func(s *settings.Settings) { s.CacheInterval = 2 }); !near(convolutions.Step(r), 0.545*convolutions.Step(whole)) {
		t.Error("DeepCache in every second step does not take 0.545 of the time")
	}
	attention := Card{Paces: map[string]float64{"attention/40": 1e-10, "attention/80": 0, "attention/160": 0}}
	if r := run(func(s *settings.Settings) { s.TomeRatio = 0.5 }); !near(attention.Step(r), 0.344*attention.Step(whole)) {
		t.Error("with half of the tokens merged, the largest attentions do not take 0.344 of the time")
	}
	if r := run(func(s *settings.Settings) { s.InitImage, s.Strength = "a.png", 0.5 }); r.Steps != 10 {
		t.Errorf("%d steps at strength 0.5", r.Steps)
	}
	if r := run(func(s *settings.Settings) { s.Model = "" }); r.Model != Demo {
		t.Error("the model that ships is not known")
	}
}

// Tiles take a little longer, and the memory of one.
func TestTiles(t *testing.T) {
	at := func(side int, tiled bool) Run {
		return run(func(s *settings.Settings) { s.Width, s.Height, s.VAETiling = side, side, tiled })
	}
	if small := at(512, true); convolutions.Decode(small) != convolutions.Decode(at(512, false)) || DecodeBytes(small) != DecodeBytes(at(512, false)) {
		t.Error("one tile is not all of the picture")
	}
	if got := convolutions.Decode(at(1024, true)) / convolutions.Decode(at(1024, false)); !near(got, 1.5625) {
		t.Errorf("at 1024 × 1024 tiles take %.3f times as long", got)
	}
	if whole, tile := DecodeBytes(at(1024, false)), DecodeBytes(at(1024, true)); tile != DecodeBytes(at(512, false)) || whole < 3*tile {
		t.Errorf("%d bytes in place of %d", tile, whole)
	}
}

// A second pass takes its own time, and one that is drawn in tiles the time of each.
func TestLarger(t *testing.T) {
	plain := run(func(*settings.Settings) {})
	c := Card{Paces: map[string]float64{"conv/large": 1e-12, "conv/small": 1e-12}}
	twice := run(func(s *settings.Settings) { s.HiresScale, s.HiresStrength = 2, 0.5 })
	large := run(func(s *settings.Settings) { s.Width, s.Height, s.NumInferenceSteps = 1024, 1024, 10 })
	if got, want := c.Picture(twice), 20*c.Step(plain)+c.Picture(large); !near(got, want) {
		t.Errorf("two passes take %g s, not %g", got, want)
	}
	tiles := run(func(s *settings.Settings) {
		s.Width, s.Height, s.InitImage, s.Strength, s.TileSize, s.TileOverlap = 1024, 1024, "a.png", 0.5, 512, 64
	})
	half := run(func(s *settings.Settings) { s.NumInferenceSteps = 10 })
	if got, want := c.Picture(tiles), 9*c.Picture(half); tiles.Times != 9 || !near(got, want) {
		t.Errorf("%d tiles take %g s, not %g", tiles.Times, got, want)
	}
	decode := c.Decode(tiles)
	c.Learn(tiles, 0, 9*2*decode)
	if !near(c.Decode(tiles), 2*decode) {
		t.Errorf("the decoder of a tile takes %g times as long", c.Decode(tiles)/decode)
	}
}

// What a picture took corrects the forecast, for its kind of run; one with a ControlNet does not correct one without.
func TestLearn(t *testing.T) {
	c := convolutions
	plain := run(func(*settings.Settings) {})
	structured := run(func(s *settings.Settings) { s.Guides = settings.Guides{&settings.ControlNet{}, &settings.IPAdapter{}} })
	step, decode := c.Step(plain), c.Decode(plain)
	c.Learn(plain, 2*step, 3*decode)
	if !near(c.Step(plain), 2*step) || !near(c.Decode(plain), 3*decode) {
		t.Errorf("a step of %g s, a decode of %g s", c.Step(plain)/step, c.Decode(plain)/decode)
	}
	if !near(c.Step(structured), 2*step) {
		t.Error("what is not known of a ControlNet is not taken from runs without one")
	}
	c.Learn(structured, 4*step, 0)
	if !near(c.Step(structured), 4*step) || !near(c.Step(plain), 2*step) || !near(c.Decode(plain), 3*decode) {
		t.Error("a run with a ControlNet changed the forecast of one without")
	}
	c.Learn(plain, 8*step, 0) // twice as many times as long
	if !near(c.Step(plain), 4*step) {
		t.Errorf("after runs of 2 and 8 times the time, %g times is forecast", c.Step(plain)/step)
	}
	if convolutions.Learned != nil {
		t.Error("a copy of the card learned, too")
	}
	(&Card{}).Learn(plain, 1, 1) // knows nothing to correct
}
