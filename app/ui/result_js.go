//go:build js && wasm

package ui

import (
	"bytes"
	"encoding/json"
	"errors"
	"syscall/js"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/ui/blobs"
	"github.com/imprompt/imprompt/gpu/webapi"
)

// finished takes a picture of the worker onto the stage and into the gallery.
func (p *page) finished(m js.Value) {
	at := p.at()
	r := &state.Result{Inputs: p.current.inputs, Cost: costOf(m.Get("cost"))}
	if at != nil && len(p.shots) > 1 {
		r.Label = at.label
	}
	// The picture says itself what it was made from.
	png := m.Get("png")
	var err error
	if r.Settings, err = settings.ReadPNG(bytes.NewReader(webapi.GoBytes(png))); err != nil {
		var partial *settings.Partial
		if !errors.As(err, &partial) {
			p.failed(err.Error())
			return
		}
	}
	b := blobs.New(png, "image/png")
	r.PNG, r.URL = b, blobs.URL(b)
	if at != nil {
		at.result = r
	}
	p.lastCost = r.Cost
	p.preview = false
	p.gallery.Made(r, len(p.shots) == 1)
	p.ctx.Async(func() { p.keep(r) })
}

func costOf(v js.Value) state.Cost {
	var c state.Cost
	if !v.Truthy() {
		return c
	}
	c = state.Cost{Seconds: v.Get("seconds").Float(), SecondsPerStep: v.Get("secondsPerStep").Float(), Steps: v.Get("steps").Int(), Peak: v.Get("peak").Int()}
	_ = json.Unmarshal([]byte(js.Global().Get("JSON").Call("stringify", v.Get("stages")).String()), &c.Stages)
	return c
}
