//go:build js && wasm

package ui

import (
	"context"
	"slices"
	"strings"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// dropped is a file of weights that waits for the visitor's word.
type dropped struct {
	file   js.Value
	handle js.Value // undefined where the browser has none
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

// takeWeights takes dropped files that are weights, and says whether there were any.
func (p *page) takeWeights(data js.Value) bool {
	files := data.Get("files")
	for i := range files.Length() {
		file := files.Index(i)
		if !isWeights(file.Get("name").String()) {
			continue
		}
		// The handle must be asked for before the event is over.
		handle := js.Undefined()
		if item := data.Get("items").Index(i); item.Truthy() && item.Get("getAsFileSystemHandle").Type() == js.TypeFunction {
			handle = item.Call("getAsFileSystemHandle")
		}
		p.ctx.Async(func() {
			if handle.Truthy() {
				h, err := webapi.Await(context.Background(), handle)
				if err != nil || !h.Truthy() {
					h = js.Undefined()
				}
				handle = h
			}
			p.ctx.Dispatch(func(app.Context) {
				p.m.open = true
				p.m.dropped = &dropped{file, handle}
				p.m.notes[""] = ""
				p.startLibrary()
			})
		})
		return true
	}
	return false
}

func isWeights(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{".safetensors", ".ckpt", ".gguf", ".pt", ".pth", ".bin", ".onnx"}, func(end string) bool { return strings.HasSuffix(name, end) })
}

// pickFile opens the browser's picker for a file that is used where it lies.
func (p *page) pickFile() {
	options := map[string]any{"types": []any{map[string]any{"description": "Weights", "accept": map[string]any{"application/octet-stream": []any{".safetensors"}}}}}
	picked := js.Global().Call("showOpenFilePicker", options)
	p.ctx.Async(func() {
		list, err := webapi.Await(context.Background(), picked)
		if err != nil {
			return // the visitor changed their mind
		}
		p.ctx.Dispatch(func(app.Context) {
			p.m.notes[""] = ""
			p.ask("keep", map[string]any{"handle": list.Index(0)})
		})
	})
}
