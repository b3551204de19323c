//go:build js && wasm

package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// progressLine is the bar and the line under the picture.
type progressLine struct {
	app.Compo
	Progress state.Progress
}

// Render implements app.Composer.
func (c *progressLine) Render() app.UI {
	class := "resting"
	if c.Progress.Active {
		class = ""
	}
	return app.Div().Class("under").Body(
		app.Progress().Aria("label", texts.T("Progress")).Max(1).Value(c.Progress.Fraction).Class(class),
		app.P().Class("words").Title(c.Progress.Words).Hidden(c.Progress.Words == "").Text(c.Progress.Words),
		app.P().Class("numbers quiet").Text(c.Progress.Text),
	)
}
