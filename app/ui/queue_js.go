//go:build js && wasm

package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// queuePanel lists the requests that wait, with what can be done with them.
type queuePanel struct {
	app.Compo
	Drawn int
	jobs  *state.Jobs
	undo  *state.Undo
	note  *state.Note
}

func (t *queuePanel) Render() app.UI {
	list := t.jobs.Queue()
	var rows []app.UI
	for i, u := range list {
		rows = append(rows, t.row(u, i, len(list)))
	}
	title := texts.F("%d waiting", len(list))
	if t.jobs.Held() {
		title = texts.F("%d held", len(list))
	}
	return app.Section().Class("queue").Aria("label", texts.T("Queue")).Hidden(len(list) == 0).Body(
		app.Div().Class("pair").Body(
			app.H2().Class("numbers").Text(title),
			small(texts.T("Go on"), texts.T("Go on"), t.jobs.GoOn).Class("accent").Hidden(!t.jobs.Held()),
			small(texts.T("Empty"), texts.T("Empty the queue"), func() { t.took(t.jobs.WithdrawAll(), texts.T("The queue was emptied.")) }),
		),
		app.Ul().Body(rows...),
	)
}

func (t *queuePanel) row(u *state.Unfinished, i, n int) app.UI {
	title := state.Shortened(u.Title())
	row := []app.UI{app.Span().Class("words").Title(title).Text(title)}
	for _, b := range []struct {
		image, name string
		off         bool
		do          func()
	}{
		{"up", texts.T("Sooner"), i == 0, func() { t.jobs.Move(u.Number, -1) }},
		{"down", texts.T("Later"), i == n-1, func() { t.jobs.Move(u.Number, 1) }},
		{"close", texts.T("Remove from the queue"), false, func() { t.took(t.jobs.Withdraw(u.Number), texts.T("Removed from the queue.")) }},
	} {
		row = append(row, app.Button().Class("bare square").Aria("label", b.name+": "+title).Title(b.name).Disabled(b.off).Body(icon(b.image)).
			OnClick(func(app.Context, app.Event) { b.do() }, key(u)))
	}
	return app.Li().Body(row...)
}

// took says that requests were taken out of the queue, and offers to put them back.
func (t *queuePanel) took(back func(), text string) {
	*t.note = state.Note{Text: text, Undo: t.undo.Did(back, func() {})}
}
