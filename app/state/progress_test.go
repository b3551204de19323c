package state

import (
	"math"
	"slices"
	"testing"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
)

func TestProgressText(t *testing.T) {
	e := newFakeEngine(t)
	s := settings.Default()
	e.jobs.Submit(Request{Labels: []string{"1", "2"}, Jobs: []settings.Settings{s, s}}, nil)
	for _, c := range []struct {
		name         string
		p            protocol.Progress
		text, spoken string
		fraction     float64
	}{
		{"starting", protocol.Progress{}, "Starting", "Starting", 0},
		{"loading", protocol.Progress{Stage: "load", Done: 5e8, Total: 2e9}, "Loading weights, 25 % of 2.00 GB", "Loading weights", 0.025},
		{"loading, size unknown", protocol.Progress{Stage: "load"}, "Loading weights", "Loading weights", 0.025},
		{"encoding", protocol.Progress{Stage: "encode"}, "Reading words and pictures", "Reading words and pictures", 0.025},
		{"compiling", protocol.Progress{Stage: "compile", Fraction: 0.5}, "Compiling shaders, 50 %: the first time only", "Compiling shaders", 0.074},
		{"the first step", protocol.Progress{Stage: "denoise", Step: 1, Steps: 20, SecondsPerStep: 3}, "Picture 1 of 2 · Step 1 of 20", "0 percent", 0.096},
		// 10 steps of this picture, 20 of the next, and two decodes, each of which is taken for a step.
		{"half way", protocol.Progress{Stage: "denoise", Step: 10, Steps: 20, SecondsPerStep: 2}, "Picture 1 of 2 · Step 10 of 20 · 2.0 s per step · 64 s left", "25 percent", 0.294},
		{"decoding", protocol.Progress{Stage: "decode", Step: 20, Steps: 20, SecondsPerStep: 2}, "Picture 1 of 2 · Decoding · 44 s left", "Decoding", 0.515},
	} {
		t.Run(c.name, func(t *testing.T) {
			e.answer(e.generate(), c.p)
			got := e.jobs.Progress(nil)
			got.Fraction = math.Round(1000*got.Fraction) / 1000
			if got != (Progress{Active: true, Fraction: c.fraction, Text: c.text, Spoken: c.spoken}) {
				t.Errorf("%+v", got)
			}
		})
	}
}

// The bar of a whole request never goes back, whatever the engine does for its pictures, and is full at the end.
func TestOneBar(t *testing.T) {
	e := newFakeEngine(t)
	e.submit("a", "b", "c")
	var bar []float64
	tell := func(p protocol.Progress) {
		e.answer(e.generate(), p)
		bar = append(bar, e.jobs.Progress(nil).Fraction)
	}
	for i := range 3 {
		for _, network := range []int64{100, 900} { // each network of a model begins at 0
			for done := int64(0); done <= network; done += network / 2 {
				tell(protocol.Progress{Stage: "load", Done: done, Total: network})
			}
		}
		tell(protocol.Progress{Stage: "encode", Steps: 4})
		tell(protocol.Progress{Stage: "compile", Steps: 4, Fraction: 0.25})
		tell(protocol.Progress{Stage: "compile", Steps: 4, Fraction: 1})
		for step := 1; step <= 4; step++ {
			// The steps become faster and slower, and so does what a decode counts.
			tell(protocol.Progress{Stage: "denoise", Images: 1, Step: step, Steps: 4, SecondsPerStep: 1 / float64(step+i)})
		}
		tell(protocol.Progress{Stage: "decode", Images: 1, Step: 4, Steps: 4, SecondsPerStep: 3})
		s := settings.Default()
		e.answer(e.generate(), protocol.Picture{Settings: s, Cost: Cost{Seconds: 9, Stages: map[string]float64{"decode": 5}}})
		bar = append(bar, e.jobs.Progress(nil).Fraction)
		e.answer(e.generate(), protocol.Drawn{})
	}
	if !slices.IsSorted(bar) {
		t.Errorf("the bar goes back: %.3f", bar)
	}
	if end := bar[len(bar)-1]; end < 0.8 || end > 1 || bar[len(bar)/3] < 0.3 || bar[len(bar)/3] > 0.6 {
		t.Errorf("%.3f", bar)
	}
	// The next request begins anew.
	e.submit("d")
	if got := e.jobs.Progress(nil).Fraction; got != 0 {
		t.Errorf("the next request begins at %g", got)
	}
}

// Steps move the bar alone where nothing is loaded or compiled, and a decode counts what it took before.
func TestBarWithoutLoading(t *testing.T) {
	e := newFakeEngine(t)
	e.submit("a", "b")
	e.answer(e.generate(), protocol.Picture{Settings: settings.Default(), Cost: Cost{Seconds: 9, Stages: map[string]float64{"decode": 5}}})
	e.answer(e.generate(), protocol.Drawn{})
	e.answer(e.generate(), protocol.Progress{Stage: "denoise", Step: 2, Steps: 5, SecondsPerStep: 1})
	got := e.jobs.Progress(nil)
	if want := (1 + 2.0/10) / 2; math.Abs(got.Fraction-want) > 1e-9 || got.Text != "Picture 2 of 2 · Step 2 of 5 · 1.0 s per step · 8.0 s left" {
		t.Errorf("%+v", got)
	}
}

// Stop is seen at once, until the engine has let go of the picture, while the page is free.
func TestStopping(t *testing.T) {
	e := newFakeEngine(t)
	e.submit("a")
	id := e.generate()
	e.answer(id, protocol.Progress{Stage: "denoise", Step: 1, Steps: 2})
	e.jobs.Stop()
	if got := e.jobs.Progress(nil); got.Text != "Stopping…" || !got.Active || e.jobs.Busy() {
		t.Errorf("%+v, busy %v", got, e.jobs.Busy())
	}
	e.answer(id, protocol.Progress{Stage: "denoise", Step: 2, Steps: 2})
	if got := e.jobs.Progress(nil).Text; got != "Stopping…" {
		t.Error(got)
	}
	e.answer(id, protocol.Stopped{})
	if got := e.jobs.Progress(nil); got.Text != "" || got.Active {
		t.Errorf("%+v", got)
	}
	e.submit("b")
	e.jobs.Stop()
	e.jobs.Died("no memory", true)
	if got := e.jobs.Progress(nil); got.Text != "" {
		t.Errorf("%+v after the engine died", got)
	}
}

func TestCaption(t *testing.T) {
	e := newFakeEngine(t)
	e.submit("a")
	r := e.draw()
	r.Settings.Seed, r.Settings.NumInferenceSteps = 7, 20
	r.Cost = Cost{Seconds: 95, SecondsPerStep: 0.04, Peak: 2_400_000_000}
	want := Progress{Text: "Demo model · Seed 7 · 512 × 512 · 20 steps · 2 min (40 ms per step) · 2.40 GB at most", Words: "a"}
	if got := e.jobs.Progress(nil); got != want {
		t.Errorf("%+v", got)
	}
	r.Label = "λ = 0.5"
	want.Text, want.Spoken = "λ = 0.5 · "+want.Text, "The picture is ready."
	if got := e.jobs.Progress(r); got != want {
		t.Errorf("%+v", got)
	}
}
