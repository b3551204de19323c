//go:build js && wasm

package engine

import (
	"context"
	"testing"
	"time"

	"github.com/imprompt/imprompt/app/forecast"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
)

// What is forecast for the model that ships is at most this many times what a run takes, and at least as small a part
// of it. The machine may do something else during either, so each has several tries.
const forecastFactor = 2.0

func TestForecast(t *testing.T) {
	for _, noF16 := range []bool{false, true} {
		t.Run(map[bool]string{false: "f16", true: "f32"}[noF16], func(t *testing.T) { testForecast(t, noF16) })
	}
}

func testForecast(t *testing.T, noF16 bool) {
	ctx := context.Background()
	d, err := gpu.Open(ctx, gpu.Options{NoF16: noF16})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	e := New(d, shipped{})
	defer e.Unload()
	s := settings.Default()
	s.Prompt, s.NumInferenceSteps, s.Height, s.Width = "a fox", 2, 128, 128
	for range 4 {
		e.forgetCard(ctx)
		began := time.Now()
		c, err := e.Gauge(ctx)
		if err != nil {
			t.Fatal(err)
		}
		gauging := time.Since(began)
		var step float64
		var decoding time.Time
		if err := e.Generate(ctx, s, nil, func(ev Event) {
			switch ev.Stage {
			case "denoise":
				step = ev.SecondsPerStep
			case "decode":
				decoding = time.Now()
			}
		}, func(Result) error { return nil }); err != nil {
			t.Fatal(err)
		}
		decode := time.Since(decoding).Seconds()
		r := forecast.Of(s)
		inStep, inDecode := c.Step(r)/step, c.Decode(r)/decode
		t.Logf("measured in %v: a step of %.3f s is forecast as %.2f times that, a decode of %.3f s as %.2f times", gauging, step, inStep, decode, inDecode)
		within := func(x float64) bool { return x < forecastFactor && x > 1/forecastFactor }
		if within(inStep) && within(inDecode) {
			e.Learn(ctx, s, step, decode)
			if got := e.Card().Picture(r); got < 0.9*(2*step+decode) || got > 1.1*(2*step+decode) {
				t.Errorf("after a picture of %.2f s, %.2f s are forecast", 4*step+decode, got)
			}
			return
		}
	}
	t.Errorf("no forecast was within a factor of %g", forecastFactor)
}
