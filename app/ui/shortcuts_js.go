//go:build js && wasm

package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/texts"
)

// shortcutsPanel unfolds to the keys that the page knows.
type shortcutsPanel struct {
	app.Compo
	Language string
}

const shortcutsID = "shortcuts"

// shortcuts are the keys and what they do.
var shortcuts = [][2]texts.Text{
	{"Ctrl Enter", "Generate; while drawing, add to the queue"}, {"Esc", "close what is open, or stop the picture"}, {"Ctrl Z", "take back what was done last"},
	{"Ctrl ↑ ↓", "the selected words, or the word at the cursor, weigh more or less"},
	{"↑ ↓", "earlier prompts, from the beginning or the end of the prompt"}, {"?", "these keys"},
	{"+ − 0 1", "zoom the picture, all of it, its own pixels"}, {"Arrows", "move a picture that is larger than the stage"},
	{"F", "full screen"}, {"C", "compare with another picture; arrows move the line"},
	{"Arrows, + − 0", "on a crop: move, zoom and reset it"},
	{"Arrows, Space, S, Delete", "in the gallery: go, pick (Shift: several), star and delete"},
	{"Arrows, Space, Shift", "on a mask: move the brush, set a dab, paint"},
	{"[ ] E", "on a mask: a smaller or larger brush, the eraser"}, {"Ctrl Z, Ctrl Shift Z", "on a mask: take back a stroke, bring it back"},
}

func (t *shortcutsPanel) Render() app.UI {
	var list []app.UI
	for _, s := range shortcuts {
		list = append(list, app.Dt().Body(app.Kbd().Text(s[0].String())), app.Dd().Text(s[1].String()))
	}
	return app.Details().Class("about").ID(shortcutsID).Body(
		app.Summary().Text("?").Aria("label", texts.T("Keys")).Title(texts.T("Keys")),
		app.Div().Class("float").Body(app.Dl().Body(list...)),
	)
}
