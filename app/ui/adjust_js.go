//go:build js && wasm

package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/model/guides"
)

// adjustPanel has the further controls of one image prompt: what is taken from it, its crop, and when and where in the
// result it works.
type adjustPanel struct {
	app.Compo
	Drawn    int
	Index    int // of the image prompt
	composer *state.Composer
	controls *controls
	canvases *canvases
	adapters func() []state.Adapter
	intake   *intake
	keep     func(*state.ImagePrompt) // saves its embeddings as a file
	keeping  func() bool              // that is under way
}

const adjustID = "adjust"

func (t *adjustPanel) Render() app.UI {
	im := t.composer.Prompts[t.Index]
	return app.Div().ID(adjustID).Class("adjust").Role("group").Aria("label", texts.F("Adjust %s", im.Name)).Body(
		app.Div().Class("head").Body(
			app.H3().Dir("auto").Text(im.Name),
			app.Button().Class("remove").Aria("label", texts.T("Close the adjustments")).Title(texts.T("Close")).Body(icon("close")).
				OnClick(func(app.Context, app.Event) { t.composer.Adjust(im) }, key(im)),
		),
		app.Div().Class("field").Body(
			labelled(promptID(t.Index, "layers"), "What to take"),
			app.Select().ID(t.controls.bind(promptID(t.Index, "layers"), im.Layers)).Body(layerOptions(im.Layers)...).
				OnChange(func(ctx app.Context, _ app.Event) { im.Layers = text(ctx) }, key(im)),
			app.P().Class("quiet").Text(aboutLayers(im.Layers)),
		),
		app.Div().Class("cropping").Hidden(im.Kept || im.Tiled != "").Body(
			cropCanvas(cropID(t.Index), texts.F("Crop of %s", im.Name)),
			app.Div().Class("crop-tools").Body(
				app.Div().Class("label").Body(t.canvases.editButton("Crop", state.Editing{What: state.EditCrop, Prompt: im}), info("crop", "Crop")),
			),
		),
		app.Div().Body(
			app.Div().Class("label").Body(app.H4().Text(texts.T("When")), info("when", "When")),
			app.Div().Class("grid").Body(
				t.controls.percent(promptID(t.Index, "start"), "From step, %", im.Start, im.SetStart, key(im)),
				t.controls.percent(promptID(t.Index, "end"), "To step, %", im.End, im.SetEnd, key(im)),
			),
		),
		app.Div().Body(t.canvases.editButton("Where", state.Editing{What: state.EditWhere, Prompt: im})),
		t.more(im),
		app.Details().Class("more").Hidden(im.Kept && len(t.adapters()) < 2).Body(
			app.Summary().Text(texts.T("More options")),
			app.Div().Class("grid").Body(t.adapter(im), t.tiled(im)),
			app.Button().Class("plain small").Hidden(im.Kept).Disabled(t.keeping()).Text(texts.T("Keep as a file")).
				Title(texts.T("Saves what the model sees in the picture. The small file can be used in place of the picture, and does not show it.")).
				OnClick(func(app.Context, app.Event) { t.keep(im) }, key(im)),
		),
	)
}

// adapter chooses the adapter, where there is a choice.
func (t *adjustPanel) adapter(im *state.ImagePrompt) app.UI {
	list := t.adapters()
	chosen, _ := im.AdapterOf(list)
	var options []app.UI
	for _, a := range list {
		options = append(options, option(a.ID, a.Name))
	}
	return t.controls.choice(promptID(t.Index, "adapter"), "Image adapter", chosen.ID, options,
		func(v string) { im.Adapter = v }, key(im)).Class("wide").Hidden(len(list) < 2)
}

// aboutLayers says what a choice of what to take does.
func aboutLayers(name string) string {
	c, _ := guides.FindLayers(name)
	return texts.Translate(c.About)
}

// layerOptions are the choices of what to take, and the one that is chosen where it is no longer offered.
func layerOptions(chosen string) []app.UI {
	var list []app.UI
	for _, c := range guides.LayerChoices() {
		switch {
		case c.Label != "":
			list = append(list, option(c.Name, texts.Translate(c.Label)).Title(texts.Translate(c.About)))
		case c.Name == chosen:
			list = append(list, option(c.Name, texts.F("%s, as before", c.Name)))
		}
	}
	return list
}
