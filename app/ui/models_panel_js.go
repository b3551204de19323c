//go:build js && wasm && !cli

package ui

import (
	"cmp"
	"fmt"
	"strings"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/loader"
	weights "github.com/imprompt/imprompt/loader/store"
)

// ships stands for "" in a select: an option without a value has its text for one.
const ships = "ships:"

var kindNames = map[string]string{"model": "Model", "ip_adapter": "Adapter", "image_encoder": "Image encoder"}

// modelChoice is the composer's line: which model is used, and the way to others.
func (p *page) modelChoice() app.UI {
	options := []app.UI{option(ships, "Emoji, the one that ships")}
	chosen := ships
	for _, item := range p.kind("model") {
		options = append(options, option(item.ID, item.Name))
		if item.ID == p.m.chosen.ID {
			chosen = item.ID
		}
	}
	if p.m.chosen.ID != "" && chosen == ships { // the library has not answered yet
		chosen = p.m.chosen.ID
		options = append(options, option(chosen, p.m.chosen.Name))
	}
	return app.Section().Class("model-choice").Aria("label", "Model").Body(
		app.Div().Class("field").Body(
			app.Label().For("model").Text("Model"),
			app.Div().Class("pair").Body(
				app.Select().ID(p.bind("model", chosen)).Disabled(p.busy).Body(options...).OnChange(func(ctx app.Context, _ app.Event) {
					if id := ctx.JSSrc().Get("value").String(); id == ships {
						p.choose(nil)
					} else {
						p.chooseID(id)
					}
				}),
				app.Button().Class("plain").Text("Models").Aria("expanded", fmt.Sprint(p.m.open)).OnClick(func(app.Context, app.Event) { p.showModels(!p.m.open) }),
			),
		),
		app.If(p.m.chosen.InChannels == 9, func() app.UI {
			return app.P().Class("quiet").Text("Repaints a part of a picture: it needs a start picture, and what of it to draw anew.")
		}),
	)
}

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

// adapterChoice is an image prompt's line, where there is a choice.
func (p *page) adapterChoice(id string, im *imagePrompt) app.UI {
	list := p.adapters()
	chosen, _ := p.adapterOf(im)
	var options []app.UI
	for _, a := range list {
		options = append(options, option(cmp.Or(a.id, ships), a.name))
	}
	return app.Div().Class("field wide").Title("ip_adapter").Hidden(len(list) < 2).Body(
		app.Label().For(id).Text("Image adapter"),
		app.Select().ID(p.bind(id, cmp.Or(chosen.id, ships))).Body(options...).
			OnChange(func(ctx app.Context, _ app.Event) {
				im.adapter = strings.TrimPrefix(ctx.JSSrc().Get("value").String(), ships)
			}, key(im)),
	)
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
			return app.P().Class("quiet").Body(app.Text(bytesText(l.LeftOver)+" are left over from downloads that were given up. "),
				p.action("Clear them", "", "Clear what is left over", func() { p.ask("tidy", map[string]any{}) }))
		}),
		app.If(l.Granted > 0, func() app.UI {
			return app.P().Class("quiet numbers").Text(fmt.Sprintf("This page stores %s; the browser grants it %s more. %s", bytesText(l.Used), bytesText(max(0, l.Granted-l.Used)), p.m.persists))
		}),
	)
}

// action is a small button whose name says what it acts on.
func (p *page) action(text, on, label string, do func()) app.UI {
	if label == "" {
		label = text + " " + on
	}
	return app.Button().Class("plain small").Text(text).Aria("label", label).OnClick(func(app.Context, app.Event) { do() }, named(text+label))
}

func (p *page) storedRow(item *weights.Item) app.UI {
	id, name := item.ID, item.Name
	about := kindNames[item.Kind] + " · " + bytesText(item.Space)
	switch {
	case item.Handle:
		about = kindNames[item.Kind] + " · read where it lies on your disk"
	case !item.Complete:
		about = fmt.Sprintf("%s · %s of %s are here", kindNames[item.Kind], bytesText(item.Done), bytesText(item.Bytes()))
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
	case item.Complete && item.Kind == "model" && id != p.m.chosen.ID:
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
	return p.row3(name, about, source, id, buttons)
}

// row3 is a model's row: its name, what it is, where it is from, how it is getting on.
func (p *page) row3(name, about, source, id string, buttons []app.UI) app.UI {
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
	text := fmt.Sprintf("%s of %s", bytesText(t.p.Done), bytesText(t.p.Total))
	switch {
	case t.kind == "plan":
		return app.P().Class("quiet").Text("Asking what there is to download")
	case t.p.Queued:
		text = "Waits for the download before it"
	case t.p.Waiting:
		text = "Another tab is downloading it: this one waits for it"
	case t.speed > 0 && t.p.Done < t.p.Total:
		text += fmt.Sprintf(" · %s/s · %s left", bytesText(int64(t.speed)), seconds(t.left))
	}
	if t.kind == "verify" {
		text = "Verifying, " + text
	}
	var files []app.UI
	for _, f := range t.p.Files {
		files = append(files, app.Li().Class("numbers").Text(fmt.Sprintf("%s: %s of %s", f.Name, bytesText(f.Done), bytesText(f.Total))))
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
	about := fmt.Sprintf("%s · about %s · %s", kindNames[e.Kind], bytesText(e.Bytes), l.Name)
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
	return p.row3(e.Name, about, e.Source, e.ID, buttons)
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
			text += r.Name + ", " + bytesText(r.Bytes()) + ". "
		}
	}
	text += fmt.Sprintf("%d files, %s to download; %s when stored.", files, bytesText(bytes), bytesText(space))
	room := p.m.library.Granted - p.m.library.Used
	full := p.m.library.Granted > 0 && space > room
	licence, l, asks := p.licenceOf(list)
	return app.Div().Class("planned").Body(
		app.P().Class("numbers").Text(text),
		app.If(full, func() app.UI {
			return app.P().Class("problem").Role("alert").Text(fmt.Sprintf("The browser grants this page %s more: delete a model here, or free space on the disk.", bytesText(max(0, room))))
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
		below = append(below, app.P().Text(kindNames[list[0].Kind]+" "+list[0].Name+". Its publisher says under which licence it comes."), p.planned("link", list[0].Name))
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

func (p *page) fileModel() app.UI {
	take := func(file js.Value) {
		p.m.notes[""] = ""
		p.ask("import", map[string]any{"file": file})
	}
	d := p.m.dropped
	var below []app.UI
	for id, t := range p.m.tasks {
		if t.kind == "import" && p.item(id) == nil {
			below = append(below, p.taskProgress(id, t))
		}
	}
	return app.Section().Aria("label", "Model from a file").Body(
		app.H3().Text("From a file"),
		app.P().Class("quiet").Text("A .safetensors file of your disk: drop it anywhere, or choose it. Nothing is uploaded."),
		app.If(d != nil, func() app.UI {
			name := d.file.Get("name").String()
			return app.Div().Class("model").Role("group").Aria("label", "Dropped "+name).Body(
				app.H4().Text(name),
				app.Div().Class("tools").Body(
					p.action("Keep a copy in the browser", name, "", func() {
						p.m.dropped = nil
						take(d.file)
					}),
					app.If(d.handle.Truthy(), func() app.UI {
						return p.action("Use it where it lies", name, "", func() {
							p.m.dropped = nil
							p.ask("keep", map[string]any{"handle": d.handle})
						})
					}),
					p.action("Not now", name, "", func() { p.m.dropped = nil }),
				),
			)
		}),
		app.Div().Class("tools").Body(
			app.Label().Class("add").Body(
				app.Span().Text("Copy a file into the browser"),
				app.Input().Type("file").Accept(".safetensors").Aria("label", "Copy a file into the browser").OnChange(func(ctx app.Context, _ app.Event) {
					// go-app wraps JavaScript values; the rest of this package has them plain.
					src := ctx.JSSrc()
					app.Window().Set("impromptFiles", src.Get("files"))
					if files := js.Global().Get("impromptFiles"); files.Length() > 0 {
						take(files.Index(0))
					}
					src.Set("value", "")
				}),
			),
			app.If(js.Global().Get("showOpenFilePicker").Type() == js.TypeFunction, func() app.UI {
				return app.Button().Class("plain").Text("Use a file where it lies").OnClick(func(app.Context, app.Event) { p.pickFile() })
			}),
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
