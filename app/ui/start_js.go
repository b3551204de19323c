//go:build js && wasm

package ui

import (
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
)

// startPanel takes the picture that the result begins from.
type startPanel struct {
	app.Compo
	Drawn    int
	composer *state.Composer
	controls *controls
	canvases *canvases
	take     func(files js.Value)
}

func (t *startPanel) Render() app.UI {
	start, s := t.composer.Start, &t.composer.Settings
	url, about := "", "none"
	if start != nil {
		url, about = start.URL, start.Name
	}
	return app.Details().ID("start").Body(
		app.Summary().Body(app.Span().Text("Start picture"), app.Span().Class("quiet").Text(about)),
		app.Div().Class("offer").Hidden(start != nil).Body(
			app.P().Class("quiet").Text("The result begins from this picture, or repaints a part of it."),
			fileInput("Add start picture", false, "", t.take),
		),
		app.Div().Class("card").Hidden(start == nil).Body(
			app.Img().Src(url).Alt("Start picture").Class("crop"),
			app.Div().Class("card-controls").Body(
				app.Div().Class("field").Body(
					app.Label().For("strength").Title("strength: how far the result may go from it").Body(app.Text("Strength"), app.Span().Class("numbers").Text(trim(s.Strength))),
					app.Input().ID(t.controls.bind("strength", trim(s.Strength))).Type("range").Min("0.05").Max("1").Step(0.05).Aria("label", "Strength").
						OnInput(func(ctx app.Context, _ app.Event) { s.Strength = number(ctx, s.Strength) }),
				),
			),
			app.Button().Class("remove").Aria("label", "Remove start picture").Title("Remove").Body(icon("close")).
				OnClick(func(app.Context, app.Event) { t.composer.SetStart(nil) }),
			app.Div().Class("card-more").Body(
				&maskPanel{Drawn: t.Drawn, ID: startMaskID, Label: "Repaint a part", Hint: "Paint over what is to be drawn again. If nothing is painted, that is all of it.", Under: url,
					controls: t.controls, canvases: t.canvases},
			),
		),
		alert(t.composer.Problems[state.AtStart]),
	)
}
