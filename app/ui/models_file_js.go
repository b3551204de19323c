//go:build js && wasm

package ui

import (
	"context"
	"strings"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/app/ui/blobs"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
)

// importID is the id of the file input for weights.
const importID = "import-weights"

// weightFiles are the endings of the files that the pickers offer.
var weightFiles = []string{".safetensors", ".ckpt", ".pt", ".pth", ".bin"}

// file draws the part where a model comes from a file.
func (c *modelsPanel) file() app.UI {
	p, library := c.Panel.File, c.library
	var below []app.UI
	for _, t := range p.Tasks {
		below = append(below, taskLine(t))
	}
	return app.Section().Aria("label", texts.T("Model from a file")).Body(
		app.H3().Text(texts.T("From a file")),
		app.P().Class("quiet").Text(texts.T("A file of weights from your disk (.safetensors, .ckpt, .pt, .pth or .bin): drop it anywhere on the page, or choose it here. Nothing is uploaded.")),
		app.If(p.Dropped != "", func() app.UI {
			return app.Div().Class("model").Role("group").Aria("label", texts.F("Dropped %s", p.Dropped)).Body(
				app.H4().Text(p.Dropped),
				app.Div().Class("tools").Body(c.buttons(p.Buttons)...),
			)
		}),
		app.Div().Class("tools").Body(
			app.Label().Class("add").Body(
				app.Span().Text(texts.T("Copy a file into the browser")),
				app.Input().ID(importID).Type("file").Accept(strings.Join(weightFiles, ",")).Aria("label", texts.T("Copy a file into the browser")).OnChange(func(ctx app.Context, _ app.Event) {
					if files := pickedFiles(ctx); files.Length() > 0 {
						library.ImportFile(files.Index(0))
					}
				}),
			),
			app.If(js.Global().Get("showOpenFilePicker").Type() == js.TypeFunction, func() app.UI {
				return app.Button().Class("plain").Text(texts.T("Use a file without copying it")).OnClick(func(app.Context, app.Event) { c.librarian.pick() })
			}),
		),
		app.Div().Body(below...),
	)
}

// pick opens the browser's picker for a file that is read from the disk.
func (l *librarian) pick() {
	endings := js.Global().Get("Array").New()
	for _, ending := range weightFiles {
		endings.Call("push", ending)
	}
	options := map[string]any{"types": []any{map[string]any{"description": texts.T("Weights"), "accept": map[string]any{"application/octet-stream": endings}}}}
	picked := js.Global().Call("showOpenFilePicker", options)
	l.page.loop.beside(func() func() {
		list, err := webapi.Await(context.Background(), picked)
		if err != nil {
			return func() {} // the visitor changed their mind
		}
		return func() { l.page.library.KeepHandle(list.Index(0)) }
	})
}

// takeWeights takes dropped files that are weights, and reports whether there were any.
func (l *librarian) takeWeights(data js.Value) bool {
	files := data.Get("files")
	for i := range files.Length() {
		file := files.Index(i)
		name := file.Get("name").String()
		if !loader.IsWeights(name) {
			continue
		}
		// The handle must be asked for before the event is over.
		promise := js.Undefined()
		if item := data.Get("items").Index(i); item.Truthy() && item.Get("getAsFileSystemHandle").Type() == js.TypeFunction {
			promise = item.Call("getAsFileSystemHandle")
		}
		l.page.loop.beside(func() func() {
			if isKept(file) {
				data, err := blobs.Bytes(file)
				return func() { l.page.intake.kept(name, data, err) }
			}
			f := state.DroppedFile{Name: name, File: file}
			if promise.Truthy() {
				if h, err := webapi.Await(context.Background(), promise); err == nil && h.Truthy() {
					f.Handle = h
				}
			}
			return func() { l.page.library.Drop(f) }
		})
		return true
	}
	return false
}
