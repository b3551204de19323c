//go:build js && wasm

package ui

import (
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// info is an (i) beside a label, with a sentence behind it that says what the control does. id is that of the control.
// The browser opens it, and closes it with Escape or by a press outside.
func info(id string, label texts.Text) app.UI {
	id = "about-" + id
	return app.Span().Class("info").Body(
		app.Button().Class("bare").Type("button").Attr("popovertarget", id).Aria("label", texts.T("Help")).Aria("description", label.String()).Body(icon("info")),
		app.Span().ID(id).Class("tip").Attr("popover", "auto").Text(state.Help[label].String()),
	)
}

// labelled is the line above a control: its label, and an (i) if there is something to say about it.
func labelled(id string, label texts.Text) app.UI { return labelLine(id, label, true, "") }

// labelLine is the line above a control: its label, an (i) if one is wanted and there is something to say, and its value.
func labelLine(id string, label texts.Text, about bool, value string) app.UI {
	body := []app.UI{app.Label().For(id).Text(label.String())}
	if about && state.Help[label] != "" {
		body = append(body, info(id, label))
	}
	return app.Div().Class("label").Body(append(body, app.Span().Class("numbers").Text(value))...)
}

// popover returns what the browser shows over the page: an (i)'s sentence, or a sheet; not truthy for nothing.
func popover() js.Value {
	return js.Global().Get("document").Call("querySelector", ":popover-open")
}
