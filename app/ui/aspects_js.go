//go:build js && wasm

package ui

import (
	"fmt"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// aspects offers shapes of the model's own area. A start picture whose shape is kept, or whose edges were
// dragged, gives the shape.
func aspects(c *state.Composer, trained int) app.UI {
	now, offered := c.Aspect(trained)
	var list []app.UI
	for _, a := range state.Aspects {
		list = append(list, app.Button().Class("plain small").Text(a.String()).Aria("pressed", fmt.Sprint(offered && a == now)).
			OnClick(func(app.Context, app.Event) { c.SetAspect(a, trained) }, named(a.String())))
	}
	return app.Div().Class("aspects").Role("group").Aria("label", texts.T("Shape of the picture")).Hidden(c.Follows() || c.Start != nil && c.Extended()).Body(list...)
}
