//go:build js && wasm

package ui

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// full is the problem that there is no room for a download.
func full(text string) state.Problem {
	if text == "" {
		return state.Problem{}
	}
	return state.Problem{Text: text, Remedies: []state.Remedy{{Mend: state.MakeRoom}}}
}

// offerCard draws what is downloaded together: what it takes, its licences, one button, and then one bar.
func offerCard(o state.Offer, library *state.Library, mend func(state.Remedy)) app.UI {
	body := []app.UI{app.H3().Text(o.Name)}
	if o.Busy {
		return app.Div().Class("offered").Role("group").Aria("label", o.Name).Body(append(body,
			app.Progress().Aria("label", texts.F("Progress of %s", o.Name)).Max(1).Value(o.Fraction),
			app.P().Class("quiet numbers").Text(o.Progress),
			app.Button().Class("plain small").Text(texts.T("Pause")).Aria("label", texts.F("Pause %s", o.Name)).OnClick(func(app.Context, app.Event) { library.StopFetch() }),
		)...)
	}
	about := o.Size + "."
	if o.About != "" {
		about = o.About + " " + about
	}
	if o.Estimate != "" {
		about += " " + o.Estimate
	}
	body = append(body, app.P().Class("quiet numbers").Text(about).Title(strings.Join(o.Parts, "\n")), trouble(o.Problem, mend), trouble(full(o.Full), mend))
	for _, l := range o.Licences {
		body = append(body, licenceCheck(library, l.ID, l.Licence, l.Accepted))
	}
	text := texts.T("Download")
	if o.Begun {
		text = texts.T("Go on")
	}
	return app.Div().Class("offered").Role("group").Aria("label", o.Name).Body(append(body,
		app.Button().Class("plain accent").Text(text).Aria("label", text+": "+o.Name).Disabled(!o.Accepted || o.Full != "").OnClick(func(app.Context, app.Event) {
			askToNotify()
			library.Fetch(o.Group)
		}, named(o.ID+text)),
	)...)
}
