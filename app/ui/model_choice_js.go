//go:build js && wasm

package ui

import (
	"context"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu/webapi"
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
	if item := p.stored(id); item != nil && item.Kind == "model" {
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
	delete(p.problems, atGo)
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
	if p.m.chosen.ID == "" {
		p.s.Width, p.s.Height, p.s.NumInferenceSteps, p.s.GuidanceScale = 128, 128, 20, 5
		return
	}
	pixels := p.m.chosen.Pixels
	if pixels <= 0 {
		pixels = 512
	}
	p.s.Width, p.s.Height, p.s.NumInferenceSteps, p.s.GuidanceScale = pixels, pixels, 25, 7.5
}

// adapterOption is an adapter that fits the chosen model.
type adapterOption struct{ id, name, encoder string }

func (p *page) adapters() []adapterOption {
	if p.m.chosen.ID == "" {
		return shippedAdapters
	}
	encoders := p.kind("image_encoder")
	var list []adapterOption
	for _, a := range p.kind("ip_adapter") {
		if a.CrossDim != p.m.chosen.CrossDim && a.CrossDim != 0 && p.m.chosen.CrossDim != 0 {
			continue
		}
		o := adapterOption{a.ID, a.Name, ""}
		for _, e := range encoders {
			if o.encoder == "" || e.ID == a.Needs {
				o.encoder = e.ID
			}
		}
		list = append(list, o)
	}
	return list
}

// adapterOf is the adapter of an image prompt: the one that was chosen, where it fits.
func (p *page) adapterOf(im *imagePrompt) (o adapterOption, ok bool) {
	list := p.adapters()
	for _, a := range list {
		if a.id == im.adapter {
			return a, true
		}
	}
	if len(list) == 0 {
		return o, false
	}
	return list[0], true
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
	case len(p.kind("image_encoder")) == 0:
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
	case p.stored(id) != nil && p.stored(id).Kind == "model":
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
			state, err := webapi.Await(context.Background(), h.Call("requestPermission", map[string]any{"mode": "read"}))
			if err != nil || state.String() != "granted" {
				p.ctx.Dispatch(func(app.Context) {
					p.problems[atGo] = "The browser was not allowed to read " + h.Get("name").String() + ": press Generate again and allow it, or choose another model."
				})
				return
			}
		}
		p.ctx.Dispatch(func(app.Context) { then() })
	})
}

func (p *page) adapterIDs() (list []string) {
	for _, im := range p.prompts {
		if a, ok := p.adapterOf(im); ok {
			list = append(list, a.id)
		}
	}
	return list
}
