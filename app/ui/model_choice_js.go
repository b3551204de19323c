//go:build js && wasm

package ui

import (
	"fmt"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/web"
)

// modelChoice is the composer's line that says which model is used and opens the panel of models.
type modelChoice struct {
	app.Compo
	Models   []state.Choice // besides the one that ships
	Chosen   state.Choice
	Open     bool // the panel
	Busy     bool
	Language string

	library   *state.Library
	librarian *librarian
	controls  *controls
}

// Render implements app.Composer.
func (c *modelChoice) Render() app.UI {
	options := []app.UI{option("", texts.F("%s, the one that ships", web.Ships.Name))}
	for _, m := range c.Models {
		options = append(options, option(m.ID, m.Name))
	}
	return app.Section().Class("model-choice").Aria("label", texts.T("Model")).Body(
		app.Div().Class("field").Body(
			app.Label().For("model").Text(texts.T("Model")),
			app.Div().Class("pair").Body(
				app.Select().ID(c.controls.bindChoice("model", c.Chosen.ID)).Disabled(c.Busy).Body(options...).OnChange(func(ctx app.Context, _ app.Event) {
					c.library.Choose(chosenIn(ctx))
				}),
				app.Button().Class("plain").Text(texts.T("Models")).Aria("expanded", fmt.Sprint(c.Open)).OnClick(func(app.Context, app.Event) { c.librarian.show(!c.Open) }),
			),
		),
		app.If(c.Chosen.Repaints(), func() app.UI {
			return app.P().Class("quiet").Text(texts.T("This model repaints a part of a picture: it needs a start picture, and a mask of what to repaint."))
		}),
	)
}
