package state

import (
	"maps"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/forecast"
	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader"
)

// flops are the paces of a GPU that does that many operations a second, and moves a byte in the time of ten.
func flops(n float64) forecast.Card {
	paces := map[string]float64{"memory": 10 / n}
	for _, key := range []string{"conv/large", "conv/small", "linear/large", "linear/small", "attention/40", "attention/80", "attention/160", "attention/512"} {
		paces[key] = 1 / n
	}
	return forecast.Card{Paces: paces}
}

// What is said of a card before anything is downloaded.
func TestVerdict(t *testing.T) {
	large := protocol.Ready{MaxBuffer: 4 << 30, MachineMemory: 8}
	for _, c := range []struct {
		name  string
		card  forecast.Card
		ready protocol.Ready
		want  string
	}{
		{"a fast card", flops(10e12), large, "about 3 s a picture, needs 2.25 GB of its memory: fine"},
		{"a slow one", flops(100e9), large, "about 6 min a picture, needs 2.25 GB of its memory: tight"},
		{"a phone", flops(1e12), protocol.Ready{MaxBuffer: 256 << 20, MachineMemory: 8}, "about 35 s a picture, needs 2.25 GB of its memory: use low memory"},
		{"a large phone", flops(1e12), protocol.Ready{MaxBuffer: 512 << 20, MachineMemory: 8}, "about 35 s a picture, needs 2.25 GB of its memory: tight"},
		{"4 GiB", flops(1e12), protocol.Ready{MaxBuffer: 4 << 30, MachineMemory: 4}, "about 35 s a picture, needs 2.25 GB of its memory: use low memory"},
		{"2 GiB", flops(1e12), protocol.Ready{MaxBuffer: 4 << 30, MachineMemory: 2}, "about 35 s a picture, needs 2.25 GB of its memory: not on this card"},
		{"a browser that does not tell", flops(10e12), protocol.Ready{}, "about 3 s a picture, needs 2.25 GB of its memory: fine"},
		{"a processor", flops(5e9), protocol.Ready{MaxBuffer: 4 << 30, Software: true}, "about 2 hours a picture, needs 2.25 GB of its memory: not on this card"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := &Engine{Card: c.card, GPU: c.ready}
			if got, want := e.OfSD15(), "Stable Diffusion 1.5 at 512 × 512: "+c.want+"."; got != want {
				t.Errorf("%s", got)
			}
		})
	}
	e := &Engine{Card: flops(10e12)}
	if got := e.OfEntry(loader.Bundle{NumInferenceSteps: 4, GuidanceScale: 1}); !strings.HasPrefix(got, "At 512 × 512 about a second a picture") {
		t.Error(got)
	}
	if got := e.OfDemo(); got != "The demo model at 128 × 128: about a second a picture." {
		t.Error(got)
	}
	if none := (&Engine{}); none.OfSD15()+none.OfDemo()+none.OfEntry(loader.Bundle{})+none.Estimate(NewComposer(), "") != "" {
		t.Error("something is said of a card of which nothing is known")
	}
}

// The estimate next to Generate follows what is composed, and what was learned from earlier pictures.
func TestEstimate(t *testing.T) {
	e, c := &Engine{Card: flops(5e12)}, NewComposer()
	c.Settings.Width, c.Settings.Height, c.Settings.NumInferenceSteps, c.Settings.NumImages = 512, 512, 20, 1
	want := func(model, text string) {
		t.Helper()
		if got := e.Estimate(c, model); got != text {
			t.Errorf("%s, want %s", got, text)
		}
	}
	want("sd15", "About 7 s a picture")
	c.Settings.NumImages = 4
	want("sd15", "About 25 s for 4 pictures")
	c.Settings.NumImages, c.Settings.GuidanceScale = 1, 1
	want("sd15", "About 4 s a picture")
	c.Settings.GuidanceScale, c.Settings.VAETiling = 7.5, true
	want("sd15", "About 7 s a picture") // of one tile
	c.Settings.Width, c.Settings.Height = 1024, 1024
	want("sd15", "About 35 s a picture · decoded in tiles: 294 MB of the card's memory in place of 979 MB")
	c.Settings.VAETiling = false
	want("sd15", "About 35 s a picture · decoding takes 979 MB of the card's memory, or 294 MB in tiles")
	c.Settings.Width, c.Settings.Height = 512, 512
	c.Start, c.Settings.Strength = &Picture{Name: "a.png"}, 0.5
	want("sd15", "About 4 s a picture")
	c.Start = nil
	s := settings.Default()
	s.Model = "sd15"
	e.Card.Learn(forecast.Of(s), 2*e.Card.Step(forecast.Of(s)), 2*e.Card.Decode(forecast.Of(s)))
	want("sd15", "About 14 s a picture")
}

// The benchmark is asked for when nothing else is to be done, and gives way to a request.
func TestGauge(t *testing.T) {
	e := newFakeEngine(t)
	gauge := e.last(protocol.Gauge{})
	e.submit("a")
	if e.last(protocol.Cancel{}) != gauge {
		t.Error("the benchmark did not give way to a request")
	}
	e.answer(gauge, protocol.Stopped{})
	e.draw()
	again := e.last(protocol.Gauge{})
	if again == gauge {
		t.Fatal("it was not taken up again")
	}
	card := flops(1e12)
	e.answer(again, protocol.Gauged{Card: card})
	if got := e.jobs.Engine.Card; !maps.Equal(got.Paces, card.Paces) {
		t.Errorf("%+v", got)
	}
	e.submit("b")
	card.Learned = map[string]float64{"demo step": 2}
	e.answer(e.generate(), protocol.Drawn{Card: card})
	if got := e.jobs.Engine.Card.Learned["demo step"]; got != 2 || e.count(protocol.Gauge{}) != 2 {
		t.Errorf("%g was learned, and %d benchmarks were asked for", got, e.count(protocol.Gauge{}))
	}
	e.jobs.Measure()
	if e.count(protocol.Gauge{}) != 3 {
		t.Error("measuring anew leaves the card's speed as it was")
	}
}
