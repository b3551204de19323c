//go:build js && wasm

package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// promptsPanel has a row with a tile for each image prompt, the further controls of one of them, and the ways to add one.
type promptsPanel struct {
	app.Compo
	Drawn      int
	composer   *state.Composer
	controls   *controls
	canvases   *canvases
	adapters   func() []state.Adapter
	intake     *intake
	keep       func(*state.ImagePrompt)
	keeping    func() bool
	takeSample func(state.Sample)
	clear      func() // the whole composer
	mend       func(state.Remedy)
	library    *state.Library
}

func (t *promptsPanel) Render() app.UI {
	var tiles, samples []app.UI
	for i, im := range t.composer.Prompts {
		tiles = append(tiles, t.tile(i, im))
	}
	for _, s := range state.Samples {
		samples = append(samples, app.Button().Class("thumb").Aria("label", texts.F("Sample: %s", s.Title)).Title(s.Title.String()).
			Body(app.Img().Src(here("web/samples/"+s.File)).Role("presentation")).OnClick(func(app.Context, app.Event) { t.takeSample(s) }, named(s.File)))
	}
	adjusted := t.composer.Adjusted()
	return app.Section().Class("prompts").Aria("label", texts.T("Image prompts")).Body(
		app.Div().Class("head").Body(
			app.Div().Class("label").Body(app.H2().Text(texts.T("Image prompts")), info("image-prompts", "Image prompts")),
			app.Button().Class("plain small").Text(texts.T("Clear")).Title(texts.T("Take all words and pictures away")).Disabled(t.composer.Empty()).OnClick(func(app.Context, app.Event) { t.clear() }),
		),
		app.Div().Class("row").Hidden(len(tiles) == 0).Body(tiles...),
		app.If(adjusted >= 0, func() app.UI {
			return &adjustPanel{Drawn: t.Drawn, Index: adjusted, composer: t.composer, controls: t.controls, canvases: t.canvases, adapters: t.adapters,
				intake: t.intake, keep: t.keep, keeping: t.keeping}
		}).Else(func() app.UI { return app.Div().Hidden(true) }),
		t.lacking(),
		app.Div().Class("offer").Hidden(t.composer.Full()).Body(
			fileInput(state.AddPrompt, "Add image", promptFiles, true, texts.T("or drop, or paste one"), t.intake.files),
			app.Div().Class("samples").Body(samples...),
		),
		trouble(t.composer.Problems[state.AtPrompts], func(r state.Remedy) {
			if r.Mend == state.RemoveLast {
				t.composer.RemovePrompt(t.composer.Prompts[len(t.composer.Prompts)-1])
				return
			}
			t.mend(r)
		}),
	)
}

// lacking offers the adapter without which the chosen model does not see image prompts.
func (t *promptsPanel) lacking() app.UI {
	g, ok := t.library.LacksFor(t.composer.Prompts)
	if !ok || t.composer.Lacking != nil { // else it is offered beside Generate
		return app.Div().Hidden(true)
	}
	return app.Div().Class("need").Body(
		app.P().Class("quiet").Text(texts.F("%s needs an adapter to see image prompts.", t.library.Chosen.Name)),
		offerCard(t.library.Offer(g), t.library, t.mend),
	)
}
