//go:build js && wasm

package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// storedID is the id of the part with what is stored.
const storedID = "stored"

// stored draws what is stored.
func (c *modelsPanel) stored() app.UI {
	p := c.Panel
	return app.Section().ID(storedID).Aria("label", texts.T("Stored models")).Body(
		app.H3().Text(texts.T("Here")),
		app.If(len(p.Stored) == 0, func() app.UI {
			return app.P().Class("quiet").Text(texts.T("Only the model that ships is here: no other is stored yet."))
		}).Else(func() app.UI { return c.rows(p.Stored) }),
		app.If(len(p.Going) > 0, func() app.UI { return c.rows(p.Going) }),
		app.If(p.LeftOver != "", func() app.UI {
			return app.P().Class("quiet").Body(app.Text(texts.F("%s are left over from downloads that were given up.", p.LeftOver)+" "),
				c.button(state.Button{Do: state.Tidy, Text: texts.T("Clear them"), Label: texts.T("Clear what is left over")}))
		}),
		app.If(p.Space != "", func() app.UI { return app.P().Class("quiet numbers").Text(p.Space) }),
	)
}
