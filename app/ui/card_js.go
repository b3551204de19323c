//go:build js && wasm

package ui

import (
	"fmt"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/model/guides"
)

// promptCard shows an image prompt and how it is used.
type promptCard struct {
	app.Compo
	Drawn    int
	Index    int
	composer *state.Composer
	controls *controls
	canvases *canvases
	adapters func() []state.Adapter
	shownURL func() string
	intake   *intake
	keep     func(*state.ImagePrompt) // saves its embeddings as a file
	keeping  func() bool              // that is under way
}

// promptID is the id of one of an image prompt's controls.
func promptID(index int, name string) string { return fmt.Sprintf("prompt-%d-%s", index, name) }

func (t *promptCard) Render() app.UI {
	im := t.composer.Prompts[t.Index]
	return app.Div().Class("card").Body(
		cropCanvas(cropID(t.Index), "Image prompt "+im.Name).Hidden(im.Kept),
		app.P().Class("crop kept quiet").Hidden(!im.Kept).Title("Embeddings from a file. The picture that they were made of cannot be seen.").Text(im.Name),
		app.Div().Class("card-controls").Body(
			t.controls.slider(slider{id: promptID(t.Index, "scale"), label: "Image weight", tip: "ip_adapter_scale, λ", value: im.Scale, most: 1.5},
				func(v float64) { im.Scale = v }, key(im)),
			app.Select().ID(t.controls.bind(promptID(t.Index, "layers"), im.Layers)).Aria("label", "What to take").Title("What to take from it (ip_adapter_layers). "+aboutLayers(im.Layers)).Body(
				layerOptions(im.Layers)...,
			).OnChange(func(ctx app.Context, _ app.Event) { im.Layers = text(ctx) }, key(im)),
		),
		app.Button().Class("remove").Aria("label", "Remove "+im.Name).Title("Remove").Body(icon("close")).
			OnClick(func(app.Context, app.Event) {
				t.composer.RemovePrompt(im)
				t.canvases.paintLater()
			}, key(im)),
		app.Div().Class("card-more").Body(
			app.Div().Hidden(im.Kept || im.Tiled != "").Body(
				&cropPanel{Drawn: t.Drawn, Index: t.Index, composer: t.composer, controls: t.controls, canvases: t.canvases},
			),
			&maskPanel{Drawn: t.Drawn, ID: maskID(t.Index), Label: "Where", Hint: "Paint where in the result this picture has an effect. If nothing is painted, that is everywhere.",
				Under: t.shownURL(), controls: t.controls, canvases: t.canvases},
			t.more(im),
			app.Details().Class("more").Body(
				app.Summary().Text("More options"),
				app.Div().Class("grid").Body(
					t.controls.percent(promptID(t.Index, "start"), "From step, %", im.Start, im.SetStart, key(im)),
					t.controls.percent(promptID(t.Index, "end"), "To step, %", im.End, im.SetEnd, key(im)),
					t.adapter(im),
					t.tiled(im),
				),
				app.Button().Class("plain small").Hidden(im.Kept).Disabled(t.keeping()).Text("Keep as a file").
					Title("ip_adapter_image_embeds: saves what the image encoder sees in the picture. The small file can be used in place of the picture, and does not show it.").
					OnClick(func(app.Context, app.Event) { t.keep(im) }, key(im)),
			),
		),
	)
}

// adapter chooses the adapter, where there is a choice.
func (t *promptCard) adapter(im *state.ImagePrompt) app.UI {
	list := t.adapters()
	chosen, _ := im.AdapterOf(list)
	var options []app.UI
	for _, a := range list {
		options = append(options, option(a.ID, a.Name))
	}
	return t.controls.choice(promptID(t.Index, "adapter"), "Image adapter", "ip_adapter", chosen.ID, options,
		func(v string) { im.Adapter = v }, key(im)).Class("wide").Hidden(len(list) < 2)
}

// aboutLayers says what a choice of what to take does.
func aboutLayers(name string) string {
	c, _ := guides.FindLayers(name)
	return c.About
}

// layerOptions are the choices of what to take, and the one that is chosen where it is no longer offered.
func layerOptions(chosen string) []app.UI {
	var list []app.UI
	for _, c := range guides.LayerChoices() {
		switch {
		case c.Label != "":
			list = append(list, option(c.Name, c.Label).Title(c.About))
		case c.Name == chosen:
			list = append(list, option(c.Name, c.Name+", as before"))
		}
	}
	return list
}
