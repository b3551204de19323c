//go:build js && wasm

package ui

import (
	"fmt"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/loader"
	weights "github.com/imprompt/imprompt/loader/store"
)

func (p *page) storedModels() app.UI {
	var list []app.UI
	for i := range p.m.library.Items {
		list = append(list, p.storedRow(&p.m.library.Items[i]))
	}
	l := p.m.library
	return app.Section().Aria("label", "Stored models").Body(
		app.H3().Text("Here"),
		app.If(len(list) == 0, func() app.UI {
			return app.P().Class("quiet").Text("Besides the model that ships, none is stored yet.")
		}).Else(func() app.UI { return app.Div().Class("model-list").Body(list...) }),
		app.If(l.LeftOver > 0, func() app.UI {
			return app.P().Class("quiet").Body(app.Text(loader.FormatBytes(l.LeftOver)+" are left over from downloads that were given up. "),
				p.action("Clear them", "", "Clear what is left over", func() { p.ask("tidy", map[string]any{}) }))
		}),
		app.If(l.Granted > 0, func() app.UI {
			return app.P().Class("quiet numbers").Text(fmt.Sprintf("This page stores %s; the browser grants it %s more. %s", loader.FormatBytes(l.Used), loader.FormatBytes(max(0, l.Granted-l.Used)), p.m.persists))
		}),
	)
}

func (p *page) storedRow(item *weights.Item) app.UI {
	id, name := item.ID, item.Name
	about := item.Kind.Name() + " · " + loader.FormatBytes(item.Space)
	switch {
	case item.Handle:
		about = item.Kind.Name() + " · read where it lies on your disk"
	case !item.Complete:
		about = fmt.Sprintf("%s · %s of %s are here", item.Kind.Name(), loader.FormatBytes(item.Done), loader.FormatBytes(item.Bytes()))
	}
	if l, ok := p.m.catalogue.Licences[item.Licence]; ok {
		about += " · " + l.Name
	}
	var buttons []app.UI
	t := p.m.tasks[id]
	switch {
	case t != nil && t.kind == "download":
		buttons = append(buttons, p.action("Pause", name, "", func() { p.ask("pause", map[string]any{"id": id}) }))
	case t != nil && t.kind == "verify":
		buttons = append(buttons, p.action("Stop verifying", name, "", func() { p.ask("pause", map[string]any{"id": id}) }))
	case t != nil:
	case !item.Complete && item.Source != "":
		buttons = append(buttons, p.action("Resume", name, "", func() {
			delete(p.m.notes, id)
			p.m.tasks[id] = &task{kind: "download", p: weights.Progress{Done: item.Done, Total: item.Bytes()}}
			p.ask("download", map[string]any{"id": id})
		}))
	case item.Complete && item.Kind == loader.KindModel && id != p.m.chosen.ID:
		buttons = append(buttons, p.action("Use", name, "", func() { p.chooseID(id) }))
	case id == p.m.chosen.ID:
		buttons = append(buttons, app.Span().Class("quiet").Text("In use"))
	}
	if t == nil {
		if item.Complete && !item.Handle {
			buttons = append(buttons, p.action("Verify", name, "", func() {
				p.m.tasks[id] = &task{kind: "verify", p: weights.Progress{Total: 1}}
				p.ask("verify", map[string]any{"id": id})
			}))
		}
		word := "Delete"
		if item.Handle {
			word = "Forget"
		}
		buttons = append(buttons, p.action(word, name, "", func() {
			delete(p.m.notes, id)
			if id == p.m.chosen.ID {
				p.choose(nil)
			}
			p.ask("delete", map[string]any{"id": id})
		}))
	}
	source := item.Source
	if source == "" {
		source = "a file of this disk"
		if !item.Complete {
			source += ": choose it again to go on"
		}
	}
	return p.modelRow(name, about, source, id, buttons)
}
