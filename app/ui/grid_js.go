//go:build js && wasm

package ui

import (
	"fmt"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// gridPanel asks for strips and grids: pictures that differ in one setting or in two. It is drawn only when what it depends
// on has changed, not at every step of a picture.
type gridPanel struct {
	app.Compo
	Of       string // what it depends on
	composer *state.Composer
	jobs     *state.Jobs
	library  *state.Library
	controls *controls
	draw     func()
}

// gridOf says in short what the panel depends on.
func (p *page) gridOf() string {
	c := p.composer
	return fmt.Sprint(texts.Code(), c.Axes, len(c.Prompts), len(c.Structures), c.Start != nil, c.Settings.Scheduler, len(c.Settings.LoRAs), c.Settings.Prompt, c.Settings.NegativePrompt,
		c.Problems[state.AtGrid], p.library.Chosen.ID, len(p.library.Models()), p.jobs.Busy(), p.jobs.Engine.Refusal.Title)
}

func (t *gridPanel) Render() app.UI {
	models := t.library.GridModels()
	kinds := t.composer.AxisKinds(models)
	n := t.composer.GridSize(models)
	about, do := "", texts.T("Draw")
	if n > 0 {
		about = texts.N(n, "%d picture", "%d pictures")
		do = texts.N(n, "Draw %d picture", "Draw %d pictures")
	}
	if t.jobs.Busy() {
		do = texts.T("Add to the queue")
	}
	return app.Details().ID("grid").Body(
		app.Summary().Body(app.Span().Text(texts.T("Strip or grid")), app.Span().Class("quiet numbers").Text(about)),
		app.P().Class("quiet").Text(texts.T("Pictures that differ in one setting make a strip, in two a grid. Values are numbers, ranges such as 1-5, 0-1 (+0.25) or 0-1 [5], or names, with commas between them.")),
		t.axis(0, "Columns", kinds),
		t.axis(1, "Rows", kinds),
		trouble(t.composer.Problems[state.AtGrid], func(state.Remedy) {
			t.composer.UseExamples(models)
			t.controls.force = true
		}),
		app.Button().Class("plain accent").Text(do).Disabled(t.jobs.Engine.Refusal.Title != "" || t.composer.Axes == [2]state.Axis{}).
			OnClick(func(app.Context, app.Event) { t.draw() }),
	)
}

// axis chooses what differs along one direction, and its values.
func (t *gridPanel) axis(i int, label texts.Text, kinds []state.AxisKind) app.UI {
	a := &t.composer.Axes[i]
	options, example := []app.UI{option("", texts.T("Nothing"))}, ""
	for _, k := range kinds {
		options = append(options, option(k.Kind, k.Label))
		if k.Kind == a.Kind {
			example = k.Example
		}
	}
	if a.Kind != "" && example == "" {
		options = append(options, option(a.Kind, texts.T("What is not composed any more")))
	}
	id := "grid-" + string(label)
	return app.Div().Class("axis").Body(
		t.controls.choice(id, label, a.Kind, options, func(kind string) {
			*a = state.Axis{Kind: kind}
			for _, k := range kinds {
				if k.Kind == kind && k.Kind != "words" {
					a.Values = k.Example
				}
			}
		}),
		app.Div().Class("field").Body(
			app.Label().For(t.controls.bind(id+"-values", a.Values)).Text(texts.T("Values")),
			app.Input().ID(id+"-values").Type("text").Aria("label", texts.F("Values of the %s", label)).Placeholder(example).Disabled(a.Kind == "").
				OnInput(func(ctx app.Context, _ app.Event) { a.Values = text(ctx) }),
		),
	)
}

// gridView shows a grid on the stage, with places for the pictures to come. It is a table of divs, because each kind of
// element adds 15 kB to the program.
func (t *easel) gridView() app.UI {
	grid := t.jobs.Grid
	cell := func(role, text string) app.HTMLDiv { return app.Div().Class("numbers").Role(role).Text(text) }
	head := []app.UI{cell("cell", "")}
	for _, c := range grid.Columns {
		head = append(head, cell("columnheader", state.LabelText(c)))
	}
	rows := []app.UI{app.Div().Role("row").Body(head...)}
	for i, row := range grid.Rows {
		cells := []app.UI{cell("rowheader", state.LabelText(row))}
		for j := range grid.Columns {
			if at := i*len(grid.Columns) + j; at < len(t.jobs.Shots) {
				place, _ := t.place(t.jobs.Shots[at])
				cells = append(cells, app.Div().Role("cell").Body(place))
			}
		}
		rows = append(rows, app.Div().Role("row").Body(cells...))
	}
	return app.Div().Class("grid-view").Role("table").Aria("label", texts.T("Grid")).Body(rows...)
}
