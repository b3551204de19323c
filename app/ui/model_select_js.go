//go:build js && wasm

package ui

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/web"
)

// ships stands for "" in a select: an option without a value has its text for one.
const ships = "ships:"

// modelChoice is the composer's line: which model is used, and the way to others.
func (p *page) modelChoice() app.UI {
	options := []app.UI{option(ships, web.Ships.Name+", the one that ships")}
	chosen := ships
	for _, item := range p.kind(loader.KindModel) {
		options = append(options, option(item.ID, item.Name))
		if item.ID == p.m.chosen.ID {
			chosen = item.ID
		}
	}
	if p.m.chosen.ID != "" && chosen == ships { // the library has not answered yet
		chosen = p.m.chosen.ID
		options = append(options, option(chosen, p.m.chosen.Name))
	}
	return app.Section().Class("model-choice").Aria("label", "Model").Body(
		app.Div().Class("field").Body(
			app.Label().For("model").Text("Model"),
			app.Div().Class("pair").Body(
				app.Select().ID(p.bind("model", chosen)).Disabled(p.busy).Body(options...).OnChange(func(ctx app.Context, _ app.Event) {
					if id := ctx.JSSrc().Get("value").String(); id == ships {
						p.choose(nil)
					} else {
						p.chooseID(id)
					}
				}),
				app.Button().Class("plain").Text("Models").Aria("expanded", fmt.Sprint(p.m.open)).OnClick(func(app.Context, app.Event) { p.showModels(!p.m.open) }),
			),
		),
		app.If(p.m.chosen.InChannels == 9, func() app.UI {
			return app.P().Class("quiet").Text("Repaints a part of a picture: it needs a start picture, and what of it to draw anew.")
		}),
	)
}

// adapterChoice is an image prompt's line, where there is a choice.
func (p *page) adapterChoice(id string, im *state.ImagePrompt) app.UI {
	list := p.adapters()
	chosen, _ := im.AdapterOf(list)
	var options []app.UI
	for _, a := range list {
		options = append(options, option(cmp.Or(a.ID, ships), a.Name))
	}
	return app.Div().Class("field wide").Title("ip_adapter").Hidden(len(list) < 2).Body(
		app.Label().For(id).Text("Image adapter"),
		app.Select().ID(p.bind(id, cmp.Or(chosen.ID, ships))).Body(options...).
			OnChange(func(ctx app.Context, _ app.Event) {
				im.Adapter = strings.TrimPrefix(ctx.JSSrc().Get("value").String(), ships)
			}, key(im)),
	)
}
