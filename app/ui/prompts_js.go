//go:build js && wasm

package ui

import (
	"syscall/js"

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
	takeFiles  func(files js.Value)
	takeSample func(sample)
}

func (t *promptsPanel) Render() app.UI {
	var cards, tiles []app.UI
	for i := range t.composer.Prompts {
		cards = append(cards, &promptCard{Drawn: t.Drawn, Index: i, composer: t.composer, controls: t.controls, canvases: t.canvases, adapters: t.adapters, shownURL: t.shownURL})
	}
	for _, s := range samples {
		tiles = append(tiles, app.Button().Class("thumb").Aria("label", "Sample: "+s.title).Title(s.title).
			Body(app.Img().Src(here("web/samples/"+s.file)).Role("presentation")).OnClick(func(app.Context, app.Event) { t.takeSample(s) }, named(s.file)))
	}
	return app.Section().Aria("label", "Image prompts").Body(
		app.H2().Text("Image prompts"),
		app.Div().Class("cards").Hidden(len(cards) == 0).Body(cards...),
		app.Div().Class("offer").Hidden(t.composer.Full()).Body(
			fileInput("Add image", true, "or drop, or paste one", t.takeFiles),
			app.Div().Class("tiles").Body(tiles...),
		),
		alert(t.composer.Problems[state.AtPrompts]),
	)
}

// sample is a picture that ships, to begin with, and where to put it. The prompt names the thing as well: told of a
// background alone, the model that ships keeps a picture's colours and loses its shape (model/train/README.md).
type sample struct{ file, title, name, where string }

func (s sample) prompt() string { return s.name + " " + s.where }

var samples = []sample{
	{"fox.png", "Fox", "fox", "on a yellow background"},
	{"cactus.png", "Cactus", "cactus", "on a pink background"},
	{"strawberry.png", "Strawberry", "strawberry", "on a blue background"},
	{"octopus.png", "Octopus", "octopus", "on a white background"},
	{"crescent-moon.png", "Moon", "crescent moon", "on a black background"},
	{"sunflower.png", "Sunflower", "sunflower", "on a teal background"},
}
