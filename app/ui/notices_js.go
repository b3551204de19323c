//go:build js && wasm

package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// noticesPanel says what the visitor should know and need do nothing about.
type noticesPanel struct {
	app.Compo
	Drawn  int
	jobs   *state.Jobs
	note   *state.Note
	closed bool // the notice that the processor draws
	// tookBack shows what was brought back.
	tookBack func()
}

func (t *noticesPanel) Render() app.UI {
	e := t.jobs.Engine
	software := e.GPU.Software && e.Refusal.Title == "" && !t.closed
	return app.Div().Class("notices").Body(
		app.Div().Class("notice").Hidden(!software).Body(
			app.P().Body(app.Text(texts.T("There is no graphics card here that the browser may use, so the processor draws. ")),
				app.Button().Class("link").Text(texts.T("What can be done")).OnClick(func(app.Context, app.Event) { byID(aboutID).Set("open", true) })),
			app.Button().Class("remove").Aria("label", texts.T("Close the notice")).Body(icon("close")).OnClick(func(app.Context, app.Event) { t.closed = true }),
		),
		app.Div().Class("notice").Role("status").Hidden(t.note.Text == "").Body(
			app.P().Text(t.note.Text),
			app.Button().Class("plain small").Text(texts.T("Undo")).Title(texts.T("Ctrl+Z")).Hidden(!t.note.Undo.Can()).OnClick(func(app.Context, app.Event) {
				t.note.Undo.Back()
				t.tookBack()
			}),
			app.Button().Class("plain small").Text(t.note.Action).Hidden(t.note.Action == "").OnClick(func(app.Context, app.Event) { t.note.Do() }),
			app.Button().Class("remove").Aria("label", texts.T("Close the note")).Body(icon("close")).OnClick(func(app.Context, app.Event) { *t.note = state.Note{} }),
		),
	)
}
