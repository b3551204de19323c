//go:build js && wasm

package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/loader"
)

// bundles draws what the catalogue offers to download together.
func (c *modelsPanel) bundles() app.UI {
	var cards []app.UI
	for _, o := range c.Panel.Bundles {
		cards = append(cards, offerCard(o, c.library, c.mend))
	}
	return app.Section().Aria("label", texts.T("Bundles")).Hidden(len(cards) == 0).Body(cards...)
}

// offers draws what the catalogue has.
func (c *modelsPanel) offers() app.UI {
	return app.If(len(c.Panel.Offers) > 0, func() app.UI {
		return app.Section().Aria("label", texts.T("Catalogue")).Body(app.H3().Text(texts.T("To download")), c.rows(c.Panel.Offers))
	})
}

// plan draws what a download would take, and asks for the licence and for the start.
func (c *modelsPanel) plan(p state.PlanPart) app.UI {
	return app.Div().Class("planned").Body(
		app.P().Class("numbers").Text(p.Text),
		trouble(full(p.Full), c.mend),
		app.If(p.LicenceID != "", func() app.UI {
			return licenceCheck(c.library, p.LicenceID, p.Licence, p.Accepted)
		}),
		app.Div().Class("tools").Body(
			app.Button().Class("plain accent").Text(texts.T("Start download")).Aria("label", texts.F("Start download of %s", p.Name)).Disabled(p.Full != "" || !p.Accepted).
				OnClick(func(app.Context, app.Event) { c.library.Do(state.StartDownload, p.Record) }, named(p.Record)),
			c.button(state.Button{Do: state.CancelPlan, Record: p.Record, Text: texts.T("Not now"), Label: texts.F("Not now %s", p.Name)}),
		),
	)
}

// licenceCheck asks for the acceptance of a licence.
func licenceCheck(library *state.Library, id string, l loader.Licence, accepted bool) app.UI {
	return app.Label().Class("check").Body(
		app.Input().Type("checkbox").Checked(accepted).OnChange(func(ctx app.Context, _ app.Event) {
			library.Accept(id, ctx.JSSrc().Get("checked").Bool())
		}, named(id)),
		app.Span().Body(app.Text(texts.T("I have read and accept the licence ")), app.A().Href(l.URL).Target("_blank").Rel("noopener").Text(l.Name), app.Text(".")),
	)
}

// link draws the part where a model comes from a link.
func (c *modelsPanel) link() app.UI {
	p, library := c.Panel.Link, c.library
	var below []app.UI
	if p.Plan != nil {
		below = append(below, app.P().Text(p.Found), c.plan(*p.Plan))
	}
	if p.Asking {
		below = append(below, app.P().Class("quiet").Text(texts.T("Asking what there is to download")))
	}
	below = append(below, trouble(p.Problem, c.mend))
	return app.Section().Aria("label", texts.T("Model from a link")).Body(
		app.H3().Text(texts.T("From a link")),
		app.Div().Class("field").Body(
			app.Label().For("model-link").Text(texts.T("Link to a model")),
			app.Div().Class("pair").Body(
				app.Input().ID("model-link").Type("text").Placeholder(texts.T("https://… or owner/model")).Value(p.Link).AutoComplete(false).
					OnInput(func(ctx app.Context, _ app.Event) { library.Link = ctx.JSSrc().Get("value").String() }).
					OnKeyDown(func(_ app.Context, e app.Event) {
						if e.Get("key").String() == "Enter" {
							library.LookAtLink()
						}
					}),
				small(texts.T("Look"), texts.T("Look at the link"), library.LookAtLink),
			),
			app.P().Class("quiet").Text(texts.T("A folder in diffusers' layout on a hub, a file of weights, or a model's page on Civitai: a Stable Diffusion 1.5 model or an IP-Adapter.")),
		),
		app.Div().Body(below...),
	)
}

// mirror draws where downloads come from.
func (c *modelsPanel) mirror() app.UI {
	return app.Details().Class("more").Body(
		app.Summary().Text(texts.T("Hub or mirror")),
		app.Div().Class("field").Body(
			app.Label().For("model-mirror").Text(texts.T("Address of the hub, or of a mirror with the same paths")),
			app.Input().ID("model-mirror").Type("text").Placeholder(c.Panel.Hub).Value(c.Panel.Base).AutoComplete(false).
				OnChange(func(ctx app.Context, _ app.Event) { c.library.SetBase(ctx.JSSrc().Get("value").String()) }),
			app.P().Class("quiet").Text(texts.T("Downloads come from this address and from wherever it redirects to. No other server is asked for anything.")),
		),
	)
}
