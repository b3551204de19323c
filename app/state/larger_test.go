package state

import (
	"testing"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
)

// A result is drawn again with its own words and pictures, larger, from itself.
func TestUpscale(t *testing.T) {
	c, r := made(t)
	request := c.ForUpscale(r, r.Inputs, "its png", 1.5, 512)
	s := request.Jobs[0]
	if s.Width != r.Settings.Width*3/2/8*8 || s.Height != r.Settings.Height*3/2/8*8 || s.InitImage != "start-result-7.png" || s.Seed != 7 || s.Strength != 0.3 || s.Mask != "" || s.TileSize != 0 || request.LeftOut != "" {
		t.Errorf("%+v, %q", s, request.LeftOut)
	}
	if len(s.IPAdapters()) != 2 || request.Inputs[s.InitImage].Bytes != "its png" || request.Of != r || len(request.Labels) != 1 {
		t.Errorf("%+v", request)
	}
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
	for _, name := range s.Pictures() {
		if request.Inputs[name].Bytes == nil {
			t.Errorf("%s is not sent", name)
		}
	}
	// In tiles, the image prompt that works in a part of the picture is left out.
	request = c.ForUpscale(r, r.Inputs, "its png", 4, 0)
	s = request.Jobs[0]
	if s.TileSize != 128 || s.TileOverlap != 16 || len(s.IPAdapters()) != 1 || request.LeftOut == "" {
		t.Errorf("%+v, %q", s, request.LeftOut)
	}
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
	// The result of a second pass is as large as that.
	r.Settings.InitImage, r.Settings.Mask, r.Settings.HiresScale = "", "", 2
	request = c.ForUpscale(r, r.Inputs, "its png", 2, 512)
	if s := request.Jobs[0]; s.Width != 4*r.Settings.Width || s.Twice() {
		t.Errorf("%+v", s)
	}
	r.Settings.Width = MaxEdge / 4
	if !CanUpscale(r, 2) || CanUpscale(r, 4) {
		t.Error("a picture may become larger than is allowed")
	}
}

// A second pass is for pictures from words, and tiles for those from a picture; what is not needed is not sent.
func TestPasses(t *testing.T) {
	c := NewComposer()
	c.SetHiresScale(1.5)
	c.SetHiresStrength(0.6)
	c.SetHiresSteps(30)
	c.SetTileSize(64)
	s := c.ForPicture("", nil).Jobs[0]
	if s.HiresScale != 1.5 || s.HiresStrength != 0.6 || s.HiresSteps != 30 || s.TileSize != 0 || s.Validate() != nil {
		t.Errorf("%+v, %v", s, s.Validate())
	}
	c.SetStart(pictureNamed("room.png"))
	if c.Settings.TileSize != 0 {
		t.Error("another start picture is drawn in tiles, too")
	}
	c.SetTileSize(64)
	s = c.ForPicture("", nil).Jobs[0]
	if s.Twice() || s.TileSize != 64 || s.TileOverlap != 8 || s.Validate() != nil {
		t.Errorf("%+v, %v", s, s.Validate())
	}
	c.SetHiresScale(1)
	c.SetHiresStrength(0.7)
	if c.Settings.HiresScale != 0 || c.Settings.HiresStrength != 0 {
		t.Error("what is as it was by default is kept in recipes")
	}
}

// All pictures are drawn in the first pass before any is drawn in the second. The bar never goes back, nothing counts as
// skipped in between, and one that was skipped in the first pass does not come.
func TestTwoPasses(t *testing.T) {
	e := newFakeEngine(t)
	s := settings.Default()
	s.NumImages, s.NumInferenceSteps, s.HiresScale = 3, 2, 2
	e.jobs.Submit(batch(s, nil), nil)
	if w, h := e.jobs.Size(); w != 1024 || h != 1024 {
		t.Errorf("the stage is made ready for %d × %d pixels", w, h)
	}
	last := 0.0
	tell := func(p protocol.Progress, text string) {
		t.Helper()
		p.Images, p.Steps, p.Passes = 3, 2, 2
		e.answer(e.generate(), p)
		now := e.jobs.Progress(nil)
		if now.Fraction < last || now.Fraction > 1 {
			t.Errorf("the bar goes from %g to %g", last, now.Fraction)
		}
		if last = now.Fraction; now.Text != text {
			t.Errorf("%q, want %q", now.Text, text)
		}
	}
	at := func(image, step int) protocol.Progress {
		return protocol.Progress{Stage: "denoise", Image: image, Step: step, SecondsPerStep: 1}
	}
	first := func(p protocol.Progress, text string) {
		t.Helper()
		p.LatentsOnly, p.Before, p.After = true, float64(2*p.Image), float64(2*(2-p.Image)+24)
		tell(p, text)
	}
	first(at(0, 1), "Picture 1 of 3 · First pass · Step 1 of 2")
	first(at(0, 2), "Picture 1 of 3 · First pass · Step 2 of 2 · 1.0 s per step · 28 s left")
	first(at(1, 1), "Picture 2 of 3 · First pass · Step 1 of 2") // and is skipped
	first(at(2, 2), "Picture 3 of 3 · First pass · Step 2 of 2 · 1.0 s per step · 24 s left")
	second := func(p protocol.Progress, text string) {
		t.Helper()
		p.Pass, p.Before, p.After = 1, 1.5+float64(3*p.Image/2), 3*(1-float64(p.Image/2))
		tell(p, text)
	}
	for _, shot := range e.jobs.Shots {
		if shot.Skipped {
			t.Error("a picture of the first pass counts as skipped")
		}
	}
	second(at(0, 2), "Picture 1 of 3 · Second pass, larger · Step 2 of 2 · 1.0 s per step · 4.0 s left")
	picture := func() {
		e.answer(e.generate(), protocol.Picture{Settings: s.From(0, 1), Cost: Cost{Seconds: 9, Stages: map[string]float64{"decode": 1}}})
	}
	picture()
	second(at(2, 1), "Picture 3 of 3 · Second pass, larger · Step 1 of 2")
	picture()
	e.answer(e.generate(), protocol.Drawn{})
	if shots := e.jobs.Shots; shots[0].Result == nil || !shots[1].Skipped || shots[2].Result == nil {
		t.Errorf("%+v %+v %+v", *shots[0], *shots[1], *shots[2])
	}
}

// The tiles of a picture are counted, and each has its own decoding.
func TestTileProgress(t *testing.T) {
	e := newFakeEngine(t)
	s := settings.Default()
	s.InitImage, s.TileSize, s.TileOverlap, s.Width, s.Height = "a.png", 512, 64, 1024, 512
	e.jobs.Submit(batch(s, nil), nil)
	last := -1.0
	for tile := range 3 {
		for _, p := range []protocol.Progress{{Stage: "denoise", Step: 1}, {Stage: "denoise", Step: 4}, {Stage: "decode", Step: 4}, {Stage: "decode", Step: 4, Fraction: 1}} {
			p.Steps, p.Images, p.SecondsPerStep = 4, 1, 1
			p.Pass, p.Passes, p.Before, p.After = tile, 3, float64(5*tile), float64(5*(2-tile))
			e.answer(e.generate(), p)
			now := e.jobs.Progress(nil)
			if now.Fraction < last || p.Fraction == 1 && now.Fraction == last {
				t.Errorf("tile %d: the bar goes from %g to %g", tile, last, now.Fraction)
			}
			last = now.Fraction
			if p.Stage == "denoise" && p.Step == 4 && tile == 1 && now.Text != "Tile 2 of 3 · Step 4 of 4 · 1.0 s per step · 6.0 s left" {
				t.Error(now.Text)
			}
		}
	}
	if last != 1 {
		t.Errorf("all tiles are %g of the picture", last)
	}
	e.answer(e.generate(), protocol.Picture{Settings: s, Cost: Cost{Seconds: 9, Stages: map[string]float64{"decode": 6}}})
	if e.jobs.decode != 2 {
		t.Errorf("a tile's decoding took %g s", e.jobs.decode)
	}
}
