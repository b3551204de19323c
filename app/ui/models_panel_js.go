//go:build js && wasm

package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// modelsPanel is the drawer with everything about models.
type modelsPanel struct {
	app.Compo
	Panel     state.Panel
	Language  string
	library   *state.Library
	librarian *librarian
	mend      func(state.Remedy)
}

// Render implements app.Composer.
func (c *modelsPanel) Render() app.UI {
	p := c.Panel
	if !p.Open {
		return app.Div().Hidden(true)
	}
	return app.Section().ID("models").Class("models").TabIndex(-1).Aria("label", texts.T("Models")).Body(
		app.Div().Class("models-head").Body(
			app.H2().Text(texts.T("Models")),
			app.Button().Class("remove").Aria("label", texts.T("Close models")).Title(texts.T("Close")).Body(icon("close")).OnClick(func(app.Context, app.Event) { c.librarian.show(false) }),
		),
		trouble(p.Problem, c.mend),
		app.If(p.Loading, func() app.UI { return app.P().Class("quiet").Text(texts.T("Reading what is stored")) }),
		c.bundles(),
		c.stored(),
		c.offers(),
		c.link(),
		c.file(),
		c.mirror(),
	)
}

// button draws a button of the panel. Its label says what it acts on.
func (c *modelsPanel) button(b state.Button) app.UI {
	return small(b.Text, b.Label, func() { c.library.Do(b.Do, b.Record) })
}

func (c *modelsPanel) buttons(list []state.Button) (drawn []app.UI) {
	for _, b := range list {
		drawn = append(drawn, c.button(b))
	}
	return drawn
}

// small is a small button.
func small(text, label string, do func()) app.HTMLButton {
	return app.Button().Class("plain small").Text(text).Aria("label", label).OnClick(func(app.Context, app.Event) { do() }, named(text+label))
}

// row draws a record: its name, what it is, where it is from, how it is getting on.
func (c *modelsPanel) row(r state.Row) app.UI {
	body := []app.UI{app.H4().Text(r.Name), app.P().Class("quiet").Text(r.About),
		app.P().Class("quiet numbers").Text(r.Estimate).Hidden(r.Estimate == ""), app.P().Class("quiet source").Text(r.Source)}
	if r.Task != nil {
		body = append(body, taskLine(*r.Task))
	}
	body = append(body, trouble(r.Problem, c.mend))
	var tools []app.UI
	if r.Plan != nil {
		tools = append(tools, c.plan(*r.Plan))
	}
	if r.InUse {
		tools = append(tools, app.Span().Class("quiet").Text(texts.T("In use")))
	}
	tools = append(tools, c.buttons(r.Buttons)...)
	return app.Div().Class("model").Role("group").Aria("label", r.Name).Body(append(body, app.Div().Class("tools").Body(tools...))...)
}

func (c *modelsPanel) rows(list []state.Row) app.UI {
	var drawn []app.UI
	for _, r := range list {
		drawn = append(drawn, c.row(r))
	}
	return app.Div().Class("model-list").Body(drawn...)
}

// taskLine draws how far a download, a verification or a copy is.
func taskLine(t state.TaskLine) app.UI {
	if t.Planning {
		return app.P().Class("quiet").Text(t.Text)
	}
	var files []app.UI
	for _, f := range t.Files {
		files = append(files, app.Li().Class("numbers").Text(f))
	}
	return app.Div().Class("task").Body(
		app.Progress().Aria("label", t.Label).Max(1).Value(t.Fraction),
		app.P().Class("quiet numbers").Text(t.Text),
		app.If(len(files) > 0, func() app.UI {
			return app.Details().Class("more").Body(app.Summary().Text(texts.T("By file")), app.Ul().Class("quiet").Body(files...))
		}),
	)
}
