//go:build js && wasm

package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
)

// promptsPanel has a card for each image prompt, and the ways to add one.
type promptsPanel struct {
	app.Compo
	Drawn      int
	composer   *state.Composer
	controls   *controls
	canvases   *canvases
	adapters   func() []state.Adapter
	shownURL   func() string // of the picture on the stage, to paint masks over
	intake     *intake
	keep       func(*state.ImagePrompt)
	keeping    func() bool
	takeSample func(state.Sample)
	clear      func() // the whole composer
}

func (t *promptsPanel) Render() app.UI {
	var cards, tiles []app.UI
	for i := range t.composer.Prompts {
		cards = append(cards, &promptCard{Drawn: t.Drawn, Index: i, composer: t.composer, controls: t.controls, canvases: t.canvases, adapters: t.adapters, shownURL: t.shownURL,
			intake: t.intake, keep: t.keep, keeping: t.keeping})
	}
	for _, s := range state.Samples {
		tiles = append(tiles, app.Button().Class("thumb").Aria("label", "Sample: "+s.Title).Title(s.Title).
			Body(app.Img().Src(here("web/samples/"+s.File)).Role("presentation")).OnClick(func(app.Context, app.Event) { t.takeSample(s) }, named(s.File)))
	}
	return app.Section().Aria("label", "Image prompts").Body(
		app.Div().Class("head").Body(
			app.H2().Text("Image prompts"),
			app.Button().Class("plain small").Text("Clear").Title("Take all words and pictures away").Disabled(t.composer.Empty()).OnClick(func(app.Context, app.Event) { t.clear() }),
		),
		app.Div().Class("cards").Hidden(len(cards) == 0).Body(cards...),
		app.Div().Class("offer").Hidden(t.composer.Full()).Body(
			fileInput("Add image", promptFiles, true, "or drop, or paste one", t.intake.files),
			app.Div().Class("tiles").Body(tiles...),
		),
		alert(t.composer.Problems[state.AtPrompts]),
	)
}
