//go:build js && wasm

package ui

import (
	"context"
	"fmt"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
	weights "github.com/imprompt/imprompt/loader/store"
)

func (p *page) offeredModels() app.UI {
	var list []app.UI
	for _, e := range p.m.catalogue.Models {
		if p.item(e.ID) == nil || p.m.plans[e.ID] != nil {
			list = append(list, p.offer(e))
		}
	}
	return app.If(len(list) > 0, func() app.UI {
		return app.Section().Aria("label", "Catalogue").Body(app.H3().Text("To download"), app.Div().Class("model-list").Body(list...))
	})
}

func (p *page) offer(e loader.Entry) app.UI {
	l := p.m.catalogue.Licences[e.Licence]
	about := fmt.Sprintf("%s · about %s · %s", e.Kind.Name(), loader.FormatBytes(e.Bytes), l.Name)
	if e.About != "" {
		about = e.About + " " + about
	}
	var buttons []app.UI
	switch {
	case p.m.tasks[e.ID] != nil:
	case p.m.plans[e.ID] != nil:
		buttons = append(buttons, p.planned(e.ID, e.Name))
	default:
		buttons = append(buttons, p.action("Download", e.Name, "", func() {
			delete(p.m.notes, e.ID)
			p.m.tasks[e.ID] = &task{kind: "plan"}
			p.ask("plan", map[string]any{"id": e.ID, "base": p.m.base})
		}))
	}
	return p.modelRow(e.Name, about, e.Source, e.ID, buttons)
}

// planned says what a download will take, and asks for the licence and the start.
func (p *page) planned(id, name string) app.UI {
	list := p.m.plans[id]
	var bytes, space int64
	files := 0
	text := ""
	for _, r := range list {
		bytes += r.Bytes()
		space += r.Space()
		files += len(r.Files)
		if len(list) > 1 {
			text += r.Name + ", " + loader.FormatBytes(r.Bytes()) + ". "
		}
	}
	text += fmt.Sprintf("%d files, %s to download; %s when stored.", files, loader.FormatBytes(bytes), loader.FormatBytes(space))
	room := p.m.library.Granted - p.m.library.Used
	full := p.m.library.Granted > 0 && space > room
	licence, l, asks := p.licenceOf(list)
	return app.Div().Class("planned").Body(
		app.P().Class("numbers").Text(text),
		app.If(full, func() app.UI {
			return app.P().Class("problem").Role("alert").Text(fmt.Sprintf("The browser grants this page %s more: delete a model here, or free space on the disk.", loader.FormatBytes(max(0, room))))
		}),
		app.If(asks, func() app.UI {
			return app.Label().Class("check").Body(
				app.Input().Type("checkbox").Checked(p.m.accepted[licence]).OnChange(func(ctx app.Context, _ app.Event) { p.accept(ctx, licence, ctx.JSSrc().Get("checked").Bool()) }),
				app.Span().Body(app.Text("I have read and accept the licence "), app.A().Href(l.URL).Target("_blank").Rel("noopener").Text(l.Name), app.Text(".")),
			)
		}),
		app.Div().Class("tools").Body(
			app.Button().Class("plain accent").Text("Start download").Aria("label", "Start download of "+name).Disabled(full || asks && !p.m.accepted[licence]).
				OnClick(func(app.Context, app.Event) { p.startDownload(id) }),
			p.action("Not now", name, "", func() { delete(p.m.plans, id) }),
		),
	)
}

func (p *page) linkedModel() app.UI {
	var below []app.UI
	if list := p.m.plans["link"]; len(list) > 0 {
		below = append(below, app.P().Text(list[0].Kind.Name()+" "+list[0].Name+". Its publisher says under which licence it comes."), p.planned("link", list[0].Name))
	}
	if p.m.tasks["link"] != nil {
		below = append(below, app.P().Class("quiet").Text("Asking what there is to download"))
	}
	if note := p.m.notes["link"]; note != "" {
		below = append(below, app.P().Class("problem").Role("alert").Text(note))
	}
	look := func() {
		delete(p.m.notes, "link")
		delete(p.m.plans, "link")
		p.m.tasks["link"] = &task{kind: "plan"}
		p.ask("plan", map[string]any{"id": "link", "link": p.m.link, "base": p.m.base})
	}
	return app.Section().Aria("label", "Model from a link").Body(
		app.H3().Text("From a link"),
		app.Div().Class("field").Body(
			app.Label().For("model-link").Text("Link to a model"),
			app.Div().Class("pair").Body(
				app.Input().ID("model-link").Type("text").Placeholder("https://… or owner/model").Value(p.m.link).AutoComplete(false).
					OnInput(func(ctx app.Context, _ app.Event) { p.m.link = ctx.JSSrc().Get("value").String() }).
					OnKeyDown(func(_ app.Context, e app.Event) {
						if e.Get("key").String() == "Enter" {
							look()
						}
					}),
				p.action("Look", "", "Look at the link", look),
			),
			app.P().Class("quiet").Text("A folder in diffusers' layout on a hub, or one .safetensors file: a Stable Diffusion 1.5 model or an IP-Adapter."),
		),
		app.Div().Body(below...),
	)
}

func (p *page) mirror() app.UI {
	return app.Details().Class("more").Body(
		app.Summary().Text("Hub or mirror"),
		app.Div().Class("field").Body(
			app.Label().For("model-mirror").Text("Address of the hub, or of a mirror with the same paths"),
			app.Input().ID("model-mirror").Type("text").Placeholder(p.m.catalogue.Base).Value(p.m.base).AutoComplete(false).
				OnChange(func(ctx app.Context, _ app.Event) {
					p.m.base = ctx.JSSrc().Get("value").String()
					ctx.LocalStorage().Set("mirror", p.m.base)
				}),
			app.P().Class("quiet").Text("Downloads come from here and from where it redirects to, and nothing else is asked for anything."),
		),
	)
}

// startDownload begins what was planned, once the licence is accepted.
func (p *page) startDownload(id string) {
	list := p.m.plans[id]
	delete(p.m.plans, id)
	p.persist()
	for _, r := range list {
		delete(p.m.notes, r.ID)
		p.m.tasks[r.ID] = &task{kind: "download", p: weights.Progress{Total: r.Bytes()}}
		p.ask("download", map[string]any{"id": r.ID})
	}
	if id == "link" {
		p.m.link = ""
	}
}

// persist asks the browser, once a visit, to keep what is stored when the disk runs full.
func (p *page) persist() {
	storage := js.Global().Get("navigator").Get("storage")
	if p.m.persists != "" || !storage.Truthy() || storage.Get("persist").Type() != js.TypeFunction {
		return
	}
	p.ctx.Async(func() {
		granted, err := webapi.Await(context.Background(), storage.Call("persist"))
		p.ctx.Dispatch(func(app.Context) {
			p.m.persists = "The browser keeps it until you delete it."
			if err != nil || !granted.Bool() {
				p.m.persists = "The browser made no promise to keep it: it may clear it when the disk runs full. A bookmark of this page, or installing it, often changes that."
			}
		})
	})
}

func (p *page) accept(ctx app.Context, licence string, yes bool) {
	p.m.accepted[licence] = yes
	ctx.LocalStorage().Set("licences", p.m.accepted)
}

// licenceOf is the licence that must be accepted before records are downloaded; ok
// false where there is none.
func (p *page) licenceOf(list []weights.Record) (id string, l loader.Licence, ok bool) {
	for _, r := range list {
		if l, found := p.m.catalogue.Licences[r.Licence]; found && l.Accept {
			return r.Licence, l, true
		}
	}
	return "", l, false
}
