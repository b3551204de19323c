//go:build js && wasm

package ui

import (
	"fmt"
	"slices"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/settings"
)

// imagePrompt is a picture with how it is to be used.
type imagePrompt struct {
	*picture
	scale      float64 // λ
	layers     string
	start, end float64
	adapter    string // which one; "" or one that does not fit: the first that does
	crop       crop
	mask       mask // where it applies; nothing painted: everywhere
}

// maxPrompts is how many image prompts the composer takes.
const maxPrompts = 4

// shippedAdapters lie beside the model that ships. The first is the better one by
// model/train/README.md.
var shippedAdapters = []adapterOption{
	{id: "ip-adapter.safetensors", name: "Global: the whole look"},
	{id: "ip-adapter-plus.safetensors", name: "Plus: finer parts"},
}

func newImagePrompt(pic *picture) *imagePrompt {
	return &imagePrompt{picture: pic, scale: 0.7, layers: settings.LayersAll, end: 1, crop: newCrop(pic.width, pic.height)}
}

func (p *page) addPrompt(im *imagePrompt) {
	if len(p.prompts) >= maxPrompts {
		p.problems[atPrompts] = fmt.Sprintf("There is room for %d image prompts: remove one first.", maxPrompts)
		return
	}
	p.prompts = append(p.prompts, im)
	delete(p.problems, atPrompts)
	p.ctx.Defer(func(app.Context) { p.showCrops() })
}

func (p *page) removePrompt(im *imagePrompt) {
	if i := slices.Index(p.prompts, im); i >= 0 {
		p.prompts = slices.Delete(slices.Clone(p.prompts), i, i+1)
		delete(p.problems, atPrompts)
		p.ctx.Defer(func(app.Context) { p.showCrops(); p.showMasks() })
	}
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
		var pic *picture
		if err == nil {
			pic, err = admit(s.file, b)
		}
		p.ctx.Dispatch(func(app.Context) {
			if err != nil {
				p.problems[atPrompts] = "The sample could not be read: " + err.Error()
				return
			}
			p.addPrompt(newImagePrompt(pic))
			if then != nil {
				then()
			}
		})
	})
}

func (p *page) imagePrompts() app.UI {
	var list, tiles []app.UI
	for i, im := range p.prompts {
		list = append(list, p.card(i, im))
	}
	for _, s := range samples {
		tiles = append(tiles, app.Button().Class("thumb").Aria("label", "Sample: "+s.title).Title(s.title).
			Body(app.Img().Src(here("web/samples/"+s.file)).Role("presentation")).OnClick(func(app.Context, app.Event) { p.takeSample(s, nil) }, named(s.file)))
	}
	full := len(p.prompts) >= maxPrompts
	return app.Section().Aria("label", "Image prompts").Body(
		app.H2().Text("Image prompts"),
		app.Div().Class("cards").Hidden(len(list) == 0).Body(list...),
		app.Div().Class("offer").Hidden(full).Body(
			fileInput("Add image", true, "or drop, or paste one", p.takeFiles),
			app.Div().Class("tiles").Body(tiles...),
		),
		p.problem(atPrompts),
	)
}

func (p *page) card(i int, im *imagePrompt) app.UI {
	id := fmt.Sprintf("prompt-%d-", i)
	percent := func(label string, value float64, set func(float64)) app.UI {
		id := p.bind(id+label, trim(100*value))
		return app.Div().Class("field").Body(
			app.Label().For(id).Text(label),
			app.Input().ID(id).Type("number").Class("numbers").Min("0").Max("100").Step(5).
				OnInput(func(ctx app.Context, _ app.Event) { set(min(max(number(ctx, 100*value)/100, 0), 1)) }, key(im)),
		)
	}
	return app.Div().Class("card").Body(
		app.Canvas().ID(cropID(i)).Class("crop").TabIndex(0).Role("img").Aria("label", "Image prompt "+im.name).
			Aria("description", "The encoder sees the bright square. Arrow keys move it, plus and minus zoom, 0 puts it back.").
			Title("The encoder sees the bright square: drag it, or turn the wheel to zoom"),
		app.Div().Class("card-controls").Body(
			app.Div().Class("field").Body(
				app.Label().For(id+"scale").Title("ip_adapter_scale, λ").Body(app.Text("Image weight"), app.Span().Class("numbers").Text(trim(im.scale))),
				app.Input().ID(p.bind(id+"scale", trim(im.scale))).Type("range").Min("0").Max("1.5").Step(0.05).Aria("label", "Image weight").
					OnInput(func(ctx app.Context, _ app.Event) { im.scale = number(ctx, im.scale) }, key(im)),
			),
			app.Select().ID(p.bind(id+"layers", im.layers)).Aria("label", "What to take").Title("What to take from it (ip_adapter_layers)").Body(
				option(settings.LayersAll, "Everything"), option(settings.LayersStyle, "Style"), option(settings.LayersComposition, "Composition"),
			).OnChange(func(ctx app.Context, _ app.Event) { im.layers = ctx.JSSrc().Get("value").String() }, key(im)),
		),
		app.Button().Class("remove").Aria("label", "Remove "+im.name).Title("Remove").Body(icon("close")).
			OnClick(func(app.Context, app.Event) { p.removePrompt(im) }, key(im)),
		app.Div().Class("card-more").Body(
			p.cropControls(id, im),
			p.maskControls("mask-"+cropID(i), "Where", "Paint where in the result this picture works. Nothing painted: everywhere.", &im.mask, p.shownURL()),
			app.Details().Class("more").Body(
				app.Summary().Text("When, and how"),
				app.Div().Class("grid").Body(
					percent("From step, %", im.start, func(v float64) { im.start = min(v, im.end) }),
					percent("To step, %", im.end, func(v float64) { im.end = max(v, im.start) }),
					p.adapterChoice(id+"adapter", im),
				),
			),
		),
	)
}

// shownURL is the picture on the stage, to paint masks over.
func (p *page) shownURL() string {
	if p.shown == nil {
		return ""
	}
	return p.shown.url
}
