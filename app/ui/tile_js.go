//go:build js && wasm

package ui

import (
	"fmt"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// promptID is the id of one of an image prompt's controls.
func promptID(index int, name string) string { return fmt.Sprintf("prompt-%d-%s", index, name) }

// tile shows an image prompt in the row of all of them, with its weight and the way to its further controls.
func (t *promptsPanel) tile(index int, im *state.ImagePrompt) app.UI {
	id := promptID(index, "scale")
	return app.Div().Class("tile").Body(
		app.Canvas().ID(thumbID(index)).Class("face").Role("img").Aria("label", texts.F("Image prompt %s", im.Name)).Title(im.Name).Hidden(im.Kept),
		app.P().Class("face kept quiet").Hidden(!im.Kept).Dir("auto").Title(texts.T("Embeddings from a file. The picture that they were made of cannot be seen.")).Text(im.Name),
		app.Button().Class("remove").Aria("label", texts.F("Remove %s", im.Name)).Title(texts.T("Remove")).Body(icon("close")).
			OnClick(func(app.Context, app.Event) {
				t.composer.RemovePrompt(im)
				t.canvases.paintLater()
			}, key(im)),
		app.Div().Class("field").Body(
			app.Label().For(id).Class("numbers").Text(trim(im.Scale)),
			app.Input().ID(t.controls.bind(id, trim(im.Scale))).Type("range").Min("0").Max("1.5").Step(0.05).Aria("label", texts.T("Image weight")).
				OnInput(func(ctx app.Context, _ app.Event) { im.Scale = number(ctx, im.Scale) }, key(im)),
		),
		app.Button().Class("plain small").Text(texts.T("Adjust")).Aria("label", texts.F("Adjust %s", im.Name)).Aria("expanded", fmt.Sprint(t.composer.Adjusted() == index)).
			Aria("controls", adjustID).OnClick(func(app.Context, app.Event) {
			t.composer.Adjust(im)
			t.canvases.paintLater()
			if t.composer.Adjusted() >= 0 {
				t.intake.reveal(adjustID)
			}
		}, key(im)),
	)
}
