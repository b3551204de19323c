package state

import (
	"testing"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
)

func TestProgressText(t *testing.T) {
	e := newFakeEngine(t)
	s := settings.Default()
	e.jobs.Submit([]string{"1", "2"}, []settings.Settings{s, s}, nil)
	for _, c := range []struct {
		name         string
		p            protocol.Progress
		text, spoken string
		fraction     float64
	}{
		{"starting", protocol.Progress{}, "Starting", "Starting", 0},
		{"loading", protocol.Progress{Stage: "load", Done: 5e8, Total: 2e9}, "Loading weights, 25 % of 2.00 GB", "Loading weights", 0.25},
		{"loading, size unknown", protocol.Progress{Stage: "load"}, "Loading weights", "Loading weights", 0},
		{"encoding", protocol.Progress{Stage: "encode"}, "Reading words and pictures", "Reading words and pictures", 0},
		{"compiling", protocol.Progress{Stage: "compile", Fraction: 0.5}, "Compiling shaders, 50 %: the first time only", "Compiling shaders", 0.5},
		{"the first step", protocol.Progress{Stage: "denoise", Step: 1, Steps: 20, SecondsPerStep: 3}, "Picture 1 of 2 · Step 1 of 20", "0 percent", 0.025},
		// 10 steps of this picture and 20 of the next.
		{"half way", protocol.Progress{Stage: "denoise", Step: 10, Steps: 20, SecondsPerStep: 2}, "Picture 1 of 2 · Step 10 of 20 · 2.0 s per step · 60 s left", "25 percent", 0.25},
		{"decoding", protocol.Progress{Stage: "decode", Step: 20, Steps: 20}, "Decoding", "Decoding", 0.5},
	} {
		t.Run(c.name, func(t *testing.T) {
			e.answer(e.generate(), c.p)
			if got := e.jobs.Progress(nil); got != (Progress{true, c.fraction, c.text, c.spoken}) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestCaption(t *testing.T) {
	e := newFakeEngine(t)
	e.submit("a")
	r := e.draw()
	r.Settings.Seed, r.Settings.NumInferenceSteps = 7, 20
	r.Cost = Cost{Seconds: 95, SecondsPerStep: 0.04, Peak: 2_400_000_000}
	want := Progress{Text: "Demo model · Seed 7 · 512 × 512 · 20 steps · 2 min (40 ms per step) · 2.40 GB at most"}
	if got := e.jobs.Progress(nil); got != want {
		t.Errorf("%+v", got)
	}
	r.Label = "λ = 0.5"
	want.Text, want.Spoken = "λ = 0.5 · "+want.Text, "The picture is ready."
	if got := e.jobs.Progress(r); got != want {
		t.Errorf("%+v", got)
	}
}
