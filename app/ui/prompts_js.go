//go:build js && wasm

package ui

import (
	"fmt"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/state"
)

func (p *page) addPrompt(im *state.ImagePrompt) {
	p.composer.AddPrompt(im)
	p.ctx.Defer(func(app.Context) { p.showCrops() })
}

func (p *page) removePrompt(im *state.ImagePrompt) {
	p.composer.RemovePrompt(im)
	p.ctx.Defer(func(app.Context) { p.showCrops(); p.showMasks() })
}

// sample is a picture that ships, to begin with, and where to put it. The prompt names the thing as well: told of a
// background alone the model that ships keeps a picture's colours and loses its shape (model/train/README.md).
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

func (p *page) takeSample(s sample, then func()) {
	p.ctx.Async(func() {
		b, err := fetchBlob("web/samples/" + s.file)
		var pic *state.Picture
		if err == nil {
			pic, err = admit(s.file, b)
		}
		p.ctx.Dispatch(func(app.Context) {
			if err != nil {
				p.composer.Problems[state.AtPrompts] = "The sample could not be read: " + err.Error()
				return
			}
			p.addPrompt(state.NewImagePrompt(pic))
			if then != nil {
				then()
			}
		})
	})
}

func (p *page) imagePrompts() app.UI {
	var list, tiles []app.UI
	for i, im := range p.composer.Prompts {
		list = append(list, p.card(i, im))
	}
	for _, s := range samples {
		tiles = append(tiles, app.Button().Class("thumb").Aria("label", "Sample: "+s.title).Title(s.title).
			Body(app.Img().Src(here("web/samples/"+s.file)).Role("presentation")).OnClick(func(app.Context, app.Event) { p.takeSample(s, nil) }, named(s.file)))
	}
	full := p.composer.Full()
	return app.Section().Aria("label", "Image prompts").Body(
		app.H2().Text("Image prompts"),
		app.Div().Class("cards").Hidden(len(list) == 0).Body(list...),
		app.Div().Class("offer").Hidden(full).Body(
			fileInput("Add image", true, "or drop, or paste one", p.takeFiles),
			app.Div().Class("tiles").Body(tiles...),
		),
		p.problem(state.AtPrompts),
	)
}

func (p *page) card(i int, im *state.ImagePrompt) app.UI {
	id := fmt.Sprintf("prompt-%d-", i)
	percent := func(label string, value float64, set func(float64)) app.UI {
		id := p.bind(id+label, trim(100*value))
		return app.Div().Class("field").Body(
			app.Label().For(id).Text(label),
			app.Input().ID(id).Type("number").Class("numbers").Min("0").Max("100").Step(5).
				OnInput(func(ctx app.Context, _ app.Event) { set(number(ctx, 100*value) / 100) }, key(im)),
		)
	}
	return app.Div().Class("card").Body(
		app.Canvas().ID(cropID(i)).Class("crop").TabIndex(0).Role("img").Aria("label", "Image prompt "+im.Name).
			Aria("description", "The encoder sees the bright square. Arrow keys move it, plus and minus zoom, 0 puts it back.").
			Title("The encoder sees the bright square: drag it, or turn the wheel to zoom"),
		app.Div().Class("card-controls").Body(
			app.Div().Class("field").Body(
				app.Label().For(id+"scale").Title("ip_adapter_scale, λ").Body(app.Text("Image weight"), app.Span().Class("numbers").Text(trim(im.Scale))),
				app.Input().ID(p.bind(id+"scale", trim(im.Scale))).Type("range").Min("0").Max("1.5").Step(0.05).Aria("label", "Image weight").
					OnInput(func(ctx app.Context, _ app.Event) { im.Scale = number(ctx, im.Scale) }, key(im)),
			),
			app.Select().ID(p.bind(id+"layers", im.Layers)).Aria("label", "What to take").Title("What to take from it (ip_adapter_layers)").Body(
				option(settings.LayersAll, "Everything"), option(settings.LayersStyle, "Style"), option(settings.LayersComposition, "Composition"),
			).OnChange(func(ctx app.Context, _ app.Event) { im.Layers = ctx.JSSrc().Get("value").String() }, key(im)),
		),
		app.Button().Class("remove").Aria("label", "Remove "+im.Name).Title("Remove").Body(icon("close")).
			OnClick(func(app.Context, app.Event) { p.removePrompt(im) }, key(im)),
		app.Div().Class("card-more").Body(
			p.cropControls(id, im),
			p.maskControls("mask-"+cropID(i), "Where", "Paint where in the result this picture works. Nothing painted: everywhere.", &im.Mask, p.gallery.ShownURL()),
			app.Details().Class("more").Body(
				app.Summary().Text("When, and how"),
				app.Div().Class("grid").Body(
					percent("From step, %", im.Start, im.SetStart),
					percent("To step, %", im.End, im.SetEnd),
					p.adapterChoice(id+"adapter", im),
				),
			),
		),
	)
}
