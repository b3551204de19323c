//go:build js && wasm

package ui

import (
	"encoding/json"
	"errors"
	"syscall/js"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu/webapi"
)

// result is a picture that was made.
type result struct {
	key      float64 // in the gallery's store; 0 if it could not be kept
	settings settings.Settings
	label    string
	blob     js.Value // the PNG
	url      string
	cost     cost
	pictures map[string]js.Value // what it was made from; nil after a reload, then they are in the store
	inputs   map[string]string   // their keys there
}

// cost is what a picture took.
type cost struct {
	Seconds        float64            `json:"seconds"`
	SecondsPerStep float64            `json:"seconds_per_step"`
	Steps          int                `json:"steps"`
	Peak           int                `json:"peak"` // bytes of the GPU's memory
	Stages         map[string]float64 `json:"stages"`
}

// finished takes a picture of the worker onto the stage and into the gallery.
func (p *page) finished(m js.Value) {
	at := p.at()
	r := &result{pictures: p.current.pictures, cost: costOf(m.Get("cost"))}
	if at != nil && len(p.shots) > 1 {
		r.label = at.label
	}
	// The picture says itself what it was made from.
	png := m.Get("png")
	var err error
	if r.settings, err = readSettings(webapi.GoBytes(png)); err != nil {
		var partial *settings.Partial
		if !errors.As(err, &partial) {
			p.failed(err.Error())
			return
		}
	}
	r.blob = blob(png, "image/png")
	r.url = urlOf(r.blob)
	if at != nil {
		at.result = r
	}
	p.lastCost = r.cost
	p.preview = false
	if p.follow && len(p.shots) == 1 {
		p.shown = r
	}
	p.gallery = append([]*result{r}, p.gallery...)
	p.drawn++
	p.keeping++
	p.ctx.Async(func() { p.keep(r) })
}

func costOf(v js.Value) cost {
	var c cost
	if !v.Truthy() {
		return c
	}
	c = cost{Seconds: v.Get("seconds").Float(), SecondsPerStep: v.Get("secondsPerStep").Float(), Steps: v.Get("steps").Int(), Peak: v.Get("peak").Int()}
	_ = json.Unmarshal([]byte(js.Global().Get("JSON").Call("stringify", v.Get("stages")).String()), &c.Stages)
	return c
}
