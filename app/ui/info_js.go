//go:build js && wasm

package ui

import (
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
)

// info is an (i) beside a label, with a sentence behind it that says what the control does. id is that of the control.
// The browser opens it, and closes it with Escape or by a press outside.
func info(id, label string) app.UI {
	id = "about-" + id
	return app.Span().Class("info").Body(
		app.Button().Class("bare").Type("button").Attr("popovertarget", id).Aria("label", "Help").Aria("description", label).Body(icon("info")),
		app.Span().ID(id).Class("tip").Attr("popover", "auto").Text(state.Help[label]),
	)
}

// labelled is the line above a control: its label, and an (i) if there is something to say about it.
func labelled(id, label string) app.UI { return labelLine(id, label, true, "") }

// labelLine is the line above a control: its label, an (i) if one is wanted and there is something to say, and its value.
func labelLine(id, label string, about bool, value string) app.UI {
	body := []app.UI{app.Label().For(id).Text(label)}
	if about && state.Help[label] != "" {
		body = append(body, info(id, label))
	}
	return app.Div().Class("label").Body(append(body, app.Span().Class("numbers").Text(value))...)
}

// popover returns what the browser shows over the page: an (i)'s sentence, or a sheet; not truthy for nothing.
func popover() js.Value {
	return js.Global().Get("document").Call("querySelector", ":popover-open")
}
