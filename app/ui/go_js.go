//go:build js && wasm

package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// goPanel starts and ends requests.
type goPanel struct {
	app.Compo
	Drawn    int
	composer *state.Composer
	jobs     *state.Jobs
	library  *state.Library
	note     *state.Note
	undo     *state.Undo
	mend     func(state.Remedy)
	request  func(func(model string, fit []state.Adapter) state.Request)
}

func (t *goPanel) Render() app.UI {
	off, busy := t.jobs.Engine.Refusal.Title != "", t.jobs.Busy()
	generate := func() { t.request(t.composer.ForPicture) }
	do, tip, act := texts.T("Generate"), "Ctrl+Enter", generate
	if busy {
		do, tip, act = texts.T("Stop"), "Esc", t.jobs.Stop
	}
	return app.Div().Class("go").Body(
		trouble(t.composer.Problems[state.AtGo], t.mend),
		t.lacking(),
		&queuePanel{Drawn: t.Drawn, jobs: t.jobs, undo: t.undo, note: t.note},
		app.Div().Class("go-row").Body(
			app.Button().Class("primary").Text(do).Title(tip).Disabled(off).OnClick(func(app.Context, app.Event) { act() }, named(do)),
			app.Button().Class("plain").Text(texts.T("Add")).Aria("label", texts.T("Add to the queue")).Title(texts.T("Ctrl+Enter: draw this after what is drawn now")).Hidden(!busy).
				OnClick(func(app.Context, app.Event) { generate() }),
			app.Button().Class("plain").Text(texts.T("Skip")).Title(texts.T("Leave this picture out and go on with the next")).Hidden(!busy || t.jobs.Shots.Left() < 2).
				OnClick(func(app.Context, app.Event) {
					t.jobs.Skip()
					*t.note = state.Note{Text: texts.T("This picture is left out.")}
				}),
			app.Button().Class("plain").Text(texts.T("λ strip")).Title(texts.T("The same seed at image weights 0, 0.25, 0.5, 0.75 and 1")).Hidden(busy).
				Disabled(off || len(t.composer.Prompts) == 0).OnClick(func(app.Context, app.Event) { t.request(t.composer.ForWeightStrip) }),
			app.Button().Class("plain").Text(texts.T("Seed strip")).Title(texts.T("The same settings with five seeds")).Hidden(busy).
				Disabled(off).OnClick(func(app.Context, app.Event) { t.request(t.composer.ForSeedStrip) }),
		),
		app.P().Class("quiet numbers estimate").Text(t.jobs.Engine.Estimate(t.composer, t.library.Chosen.ID)),
	)
}

// lacking offers to fetch what Generate found missing.
func (t *goPanel) lacking() app.UI {
	if g := t.composer.Lacking; g != nil {
		if o := t.library.Offer(*g); !o.Here {
			return offerCard(o, t.library, t.mend)
		}
	}
	return app.Div().Hidden(true)
}
