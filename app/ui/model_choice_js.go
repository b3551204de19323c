//go:build js && wasm

package ui

import (
	"context"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
	weights "github.com/imprompt/imprompt/loader/store"
)

// choice is the model that is used, remembered over reloads. ID "" is the one that
// ships.
type choice struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Pixels     int    `json:"pixels"`
	InChannels int    `json:"in_channels"`
	CrossDim   int    `json:"cross_dim"`
}

func (p *page) chooseID(id string) {
	if item := p.stored(id); item != nil && item.Kind == loader.KindModel {
		p.choose(item)
	}
}

// choose changes the model, nil for the one that ships, with the size and the steps
// that suit it.
func (p *page) choose(item *weights.Item) {
	c := choice{}
	if item != nil {
		c = choice{item.ID, item.Name, item.Pixels, item.InChannels, item.CrossDim}
	}
	if c == p.m.chosen {
		return
	}
	p.m.chosen = c
	p.ctx.LocalStorage().Set("model", c)
	delete(p.composer.Problems, state.AtGo)
	p.takeDefaults()
	if p.worker.Truthy() && !p.busy { // what is being loaded is of no use any more
		p.worker.Call("postMessage", map[string]any{"type": "cancel"})
	}
	if p.worker.Truthy() && !p.needsPermission() {
		p.worker.Call("postMessage", map[string]any{"type": "load", "model": c.ID})
	}
}

// takeDefaults sets what follows from the model.
func (p *page) takeDefaults() {
	pixels := p.m.chosen.Pixels
	if p.m.chosen.ID != "" && pixels <= 0 {
		pixels = 512
	}
	p.composer.SuitModel(pixels)
}

func (p *page) adapters() []state.Adapter {
	if p.m.chosen.ID == "" {
		return state.ShippedAdapters()
	}
	encoders := p.kind(loader.KindImageEncoder)
	var list []state.Adapter
	for _, a := range p.kind(loader.KindIPAdapter) {
		if a.CrossDim != p.m.chosen.CrossDim && a.CrossDim != 0 && p.m.chosen.CrossDim != 0 {
			continue
		}
		o := state.Adapter{ID: a.ID, Name: a.Name}
		for _, e := range encoders {
			if o.Encoder == "" || e.ID == a.Needs {
				o.Encoder = e.ID
			}
		}
		list = append(list, o)
	}
	return list
}

// modelProblem says what the chosen model still lacks for a request.
func (p *page) modelProblem(s settings.Settings) string {
	switch {
	case p.m.chosen.InChannels == 9 && s.InitImage == "":
		return p.m.chosen.Name + " repaints a part of a picture: add a start picture, and paint on it what shall be drawn anew."
	case p.m.chosen.InChannels == 9 && s.Mask == "":
		return p.m.chosen.Name + " repaints a part of a picture: open \"Repaint a part\" at the start picture, and paint what shall be drawn anew."
	case len(s.IPAdapters) == 0 || p.m.chosen.ID == "":
		return ""
	case len(p.adapters()) == 0:
		return "An image prompt needs an IP-Adapter that fits " + p.m.chosen.Name + ": download one in Models, or remove the image prompts."
	case len(p.kind(loader.KindImageEncoder)) == 0:
		return "An IP-Adapter needs the CLIP image encoder: download it in Models, or remove the image prompts."
	}
	return ""
}

// takeModel takes over the model that a PNG names; what is not here is said.
func (p *page) takeModel(id string) (leftOut string) {
	switch {
	case id == p.m.chosen.ID:
	case id == "":
		p.choose(nil)
	case p.stored(id) != nil && p.stored(id).Kind == loader.KindModel:
		p.chooseID(id)
	default:
		return "the model " + id + ", which is not here (see Models)"
	}
	return ""
}

// needsPermission: the chosen model lies on the disk, and the browser may ask before
// the page reads it.
func (p *page) needsPermission() bool {
	_, ok := p.m.handles[p.m.chosen.ID]
	return ok
}

// permit asks the browser, from a click, for leave to read the files that lie on the
// disk, and goes on when it is given.
func (p *page) permit(then func()) {
	var wanted []js.Value
	for _, id := range append([]string{p.m.chosen.ID}, p.adapterIDs()...) {
		if h, ok := p.m.handles[id]; ok && h.Get("requestPermission").Type() == js.TypeFunction {
			wanted = append(wanted, h)
		}
	}
	if len(wanted) == 0 {
		then()
		return
	}
	p.ctx.Async(func() {
		for _, h := range wanted {
			answer, err := webapi.Await(context.Background(), h.Call("requestPermission", map[string]any{"mode": "read"}))
			if err != nil || answer.String() != "granted" {
				p.ctx.Dispatch(func(app.Context) {
					p.composer.Problems[state.AtGo] = "The browser was not allowed to read " + h.Get("name").String() + ": press Generate again and allow it, or choose another model."
				})
				return
			}
		}
		p.ctx.Dispatch(func(app.Context) { then() })
	})
}

func (p *page) adapterIDs() (list []string) {
	for _, im := range p.composer.Prompts {
		if a, ok := im.AdapterOf(p.adapters()); ok {
			list = append(list, a.ID)
		}
	}
	return list
}
