//go:build js && wasm

package engine

import (
	"bytes"
	"context"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
)

// A picture can be skipped between its steps and while it is decoded. The next one is what it would
// have been without them.
func TestSkip(t *testing.T) {
	ctx := context.Background()
	d, err := gpu.Open(ctx, gpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	e := New(d, shipped{})
	defer e.Unload()
	s := settings.Default()
	s.Prompt, s.NumInferenceSteps, s.Height, s.Width, s.NumImages, s.Seed = "a fox", 2, 64, 64, 3, 7
	var drawn []Result
	draw := func(progress func(Event)) {
		drawn = nil
		if err := e.Generate(ctx, s, nil, progress, func(r Result) error { drawn = append(drawn, r); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	draw(func(ev Event) {
		if ev.Image == 0 && ev.Stage == "denoise" && ev.Step == 1 || ev.Image == 1 && ev.Stage == "decode" {
			ev.Skip()
		}
	})
	if len(drawn) != 1 || drawn[0].Index != 2 {
		t.Fatalf("%d pictures were drawn, not the third alone", len(drawn))
	}
	third := drawn[0].RGBA
	s.NumImages, s.Seed = 1, 9
	draw(func(Event) {})
	if len(drawn) != 1 || !bytes.Equal(drawn[0].RGBA, third) {
		t.Error("after the skipped pictures another one was drawn than without them")
	}
}
