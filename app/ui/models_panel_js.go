//go:build js && wasm

package ui

import (
	"fmt"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/loader"
)

func (p *page) showModels(open bool) {
	p.m.open = open
	if open {
		if p.m.worker.Truthy() && !p.m.ready {
			p.ask("library", map[string]any{}) // it could not start: once more
		}
		p.startLibrary()
		p.ctx.Defer(func(app.Context) {
			if panel := js.Global().Get("document").Call("getElementById", "models"); panel.Truthy() {
				panel.Call("focus")
			}
		})
	}
}

// modelsPanel is the drawer with all that concerns models.
func (p *page) modelsPanel() app.UI {
	if !p.m.open {
		return app.Div().Hidden(true)
	}
	return app.Section().ID("models").Class("models").TabIndex(-1).Aria("label", "Models").Body(
		app.Div().Class("models-head").Body(
			app.H2().Text("Models"),
			app.Button().Class("remove").Aria("label", "Close models").Title("Close").Body(icon("close")).OnClick(func(app.Context, app.Event) { p.showModels(false) }),
		),
		app.If(p.m.notes[""] != "", func() app.UI { return app.P().Class("problem").Role("alert").Text(p.m.notes[""]) }),
		app.If(!p.m.ready, func() app.UI { return app.P().Class("quiet").Text("Looking what is stored") }),
		p.storedModels(),
		p.offeredModels(),
		p.linkedModel(),
		p.fileModel(),
		p.mirror(),
	)
}

// action is a small button whose name says what it acts on.
func (p *page) action(text, on, label string, do func()) app.UI {
	if label == "" {
		label = text + " " + on
	}
	return app.Button().Class("plain small").Text(text).Aria("label", label).OnClick(func(app.Context, app.Event) { do() }, named(text+label))
}

// modelRow is a model's row: its name, what it is, where it is from, how it is getting on.
func (p *page) modelRow(name, about, source, id string, buttons []app.UI) app.UI {
	body := []app.UI{app.H4().Text(name), app.P().Class("quiet").Text(about), app.P().Class("quiet source").Text(source)}
	if t := p.m.tasks[id]; t != nil {
		body = append(body, p.taskProgress(name, t))
	}
	if note := p.m.notes[id]; note != "" && id != "" {
		body = append(body, app.P().Class("problem").Role("alert").Text(note))
	}
	return app.Div().Class("model").Role("group").Aria("label", name).Body(append(body, app.Div().Class("tools").Body(buttons...))...)
}

func (p *page) taskProgress(name string, t *task) app.UI {
	text := fmt.Sprintf("%s of %s", loader.FormatBytes(t.p.Done), loader.FormatBytes(t.p.Total))
	switch {
	case t.kind == "plan":
		return app.P().Class("quiet").Text("Asking what there is to download")
	case t.p.Queued:
		text = "Waits for the download before it"
	case t.p.Waiting:
		text = "Another tab is downloading it: this one waits for it"
	case t.speed > 0 && t.p.Done < t.p.Total:
		text += fmt.Sprintf(" · %s/s · %s left", loader.FormatBytes(int64(t.speed)), seconds(t.left))
	}
	if t.kind == "verify" {
		text = "Verifying, " + text
	}
	var files []app.UI
	for _, f := range t.p.Files {
		files = append(files, app.Li().Class("numbers").Text(fmt.Sprintf("%s: %s of %s", f.Name, loader.FormatBytes(f.Done), loader.FormatBytes(f.Total))))
	}
	fraction := 0.0
	if t.p.Total > 0 {
		fraction = float64(t.p.Done) / float64(t.p.Total)
	}
	return app.Div().Class("task").Body(
		app.Progress().Aria("label", "Progress of "+name).Max(1).Value(fraction),
		app.P().Class("quiet numbers").Text(text),
		app.If(len(files) > 1, func() app.UI {
			return app.Details().Class("more").Body(app.Summary().Text("By file"), app.Ul().Class("quiet").Body(files...))
		}),
	)
}
