//go:build js && wasm && !cli

package ui

import (
	"fmt"
	"strconv"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/settings"
)

func (p *page) composer() app.UI {
	return app.Section().Class("composer").Aria("label", "Composer").Body(
		p.modelChoice(),
		p.imagePrompts(),
		p.words(),
		p.startPicture(),
		p.settings(),
		app.If(p.problem != "", func() app.UI { return app.P().Class("problem").Role("alert").Text(p.problem) }),
		app.Div().Class("go").Body(
			app.If(p.busy, func() app.UI {
				return app.Button().Class("primary").Text("Stop").Title("Esc").OnClick(func(app.Context, app.Event) { p.stop() })
			}).Else(func() app.UI {
				return app.Button().Class("primary").Text("Generate").Title("Ctrl+Enter").Disabled(p.noGPU != "").
					OnClick(func(app.Context, app.Event) { p.generate() })
			}),
			app.Button().Class("plain").Text("λ strip").Title("The same seed at image weights 0, 0.25, 0.5, 0.75 and 1").
				Disabled(p.busy || len(p.prompts) == 0 || p.noGPU != "").OnClick(func(app.Context, app.Event) { p.strip() }),
			app.Button().Class("plain").Text("Seed strip").Title("Five seeds").
				Disabled(p.busy || p.noGPU != "").OnClick(func(app.Context, app.Event) { p.seeds() }),
		),
	)
}

// fileInput is a label that opens a picker.
func (p *page) fileInput(label string, take func(files js.Value)) app.UI {
	return app.Label().Class("add").Body(
		app.Span().Text("+"), app.Span().Text(label),
		app.Input().Type("file").Accept("image/*").Multiple(true).Aria("label", label).OnChange(func(ctx app.Context, e app.Event) {
			src := ctx.JSSrc()
			// go-app wraps JavaScript values; the rest of this package has them plain.
			app.Window().Set("impromptFiles", src.Get("files"))
			take(js.Global().Get("impromptFiles"))
			src.Set("value", "")
		}),
	)
}

func (p *page) imagePrompts() app.UI {
	var list []app.UI
	for i, im := range p.prompts {
		list = append(list, p.imagePromptCard(i, im))
	}
	var tiles []app.UI
	if len(p.prompts) < maxPrompts {
		tiles = append(tiles, p.fileInput("Add image", p.takeFiles))
		for _, s := range samples {
			tiles = append(tiles, app.Button().Class("thumb").Aria("label", "Sample: "+s.title).Title(s.title).
				Body(app.Img().Src(here("web/samples/"+s.file)).Role("presentation")).OnClick(func(app.Context, app.Event) { p.takeSample(s, nil) }))
		}
	}
	return app.Section().Aria("label", "Image prompts").Body(
		app.H2().Text("Image prompts"),
		app.Div().Class("cards").Body(list...),
		app.Div().Class("tiles").Body(tiles...),
	)
}

func (p *page) imagePromptCard(i int, im *imagePrompt) app.UI {
	id := fmt.Sprintf("prompt-%d-", i)
	return app.Div().Class("card").Body(
		app.Canvas().ID(cropID(i)).Class("crop").Role("img").Aria("label", "Image prompt "+im.name+", as the encoder sees it"),
		app.Div().Class("card-controls").Body(
			app.Label().For(id+"scale").Title("ip_adapter_scale, λ").Body(app.Text("Image weight"), app.Output().Class("numbers").Text(trim(im.scale))),
			app.Input().ID(id+"scale").Type("range").Min("0").Max("1.5").Step(0.05).Value(trim(im.scale)).Aria("label", "Image weight").
				OnInput(func(ctx app.Context, _ app.Event) { im.scale = number(ctx, im.scale) }),
			app.Div().Class("trio").Body(
				app.Select().Aria("label", "What to take").Title("ip_adapter_layers").Body(
					option("all", "Everything", im.layers), option("style", "Style", im.layers), option("composition", "Composition", im.layers),
				).OnChange(func(ctx app.Context, _ app.Event) { im.layers = ctx.JSSrc().Get("value").String() }),
				p.adapterChoice(im),
				percent("From step, percent", im.start, func(v float64) { im.start = min(v, im.end) }),
				percent("To step, percent", im.end, func(v float64) { im.end = max(v, im.start) }),
			),
			p.cropControls(id, im),
			p.maskControls("mask-"+cropID(i), "Where", "Paint where in the result this picture works. Nothing painted: everywhere.", &im.mask, ""),
		),
		app.Button().Class("plain remove").Aria("label", "Remove "+im.name).Text("×").OnClick(func(app.Context, app.Event) { p.removePrompt(im) }),
	)
}

func percent(label string, value float64, set func(float64)) app.UI {
	return app.Input().Type("number").Class("numbers").Min("0").Max("100").Step(5).Value(trim(100*value)).Aria("label", label).Title(label).
		OnChange(func(ctx app.Context, _ app.Event) { set(min(max(number(ctx, 100*value)/100, 0), 1)) })
}

func option(value, text, chosen string) app.UI {
	return app.Option().Value(value).Text(text).Selected(value == chosen)
}

func trim(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func number(ctx app.Context, missing float64) float64 {
	v, err := strconv.ParseFloat(ctx.JSSrc().Get("value").String(), 64)
	if err != nil {
		return missing
	}
	return v
}

func (p *page) words() app.UI {
	area := func(label, hint string, rows int, value *string, t tokenCount) app.UI {
		note := ""
		if t.count > 0 {
			note = fmt.Sprintf("%d of %d tokens", t.count, t.limit)
		}
		return app.Div().Class("field").Body(
			app.Label().For("words-"+label).Body(app.Text(label), app.Span().Class("numbers quiet").Text(note)),
			app.Textarea().ID("words-"+label).Rows(rows).Placeholder(hint).Text(*value).OnInput(func(ctx app.Context, _ app.Event) {
				*value = ctx.JSSrc().Get("value").String()
				p.countTokens()
			}),
			app.If(t.overflow != "", func() app.UI { return app.P().Class("problem").Text("Too long; left out: " + t.overflow) }),
		)
	}
	return app.Section().Aria("label", "Words").Body(
		area("Prompt", "on a blue background", 3, &p.prompt, p.tokens[0]),
		area("Negative prompt", "what it should not be", 1, &p.negative, p.tokens[1]),
	)
}

func (p *page) startPicture() app.UI {
	return app.Details().Body(
		app.Summary().Text("Start picture"),
		app.If(p.start == nil, func() app.UI {
			return app.Div().Class("tiles").Body(p.fileInput("Add start picture", func(files js.Value) {
				if files.Length() == 0 {
					return
				}
				file := files.Index(0)
				p.ctx.Async(func() {
					b, err := readFile(file)
					p.ctx.Dispatch(func(app.Context) {
						if err != nil {
							p.problem = err.Error()
							return
						}
						p.start = &picture{name: "start-" + file.Get("name").String(), bytes: b, url: objectURL(b, file.Get("type").String())}
					})
				})
			}))
		}).Else(func() app.UI {
			return app.Div().Class("card").Body(
				app.Img().Src(p.start.url).Alt("Start picture"),
				app.Div().Class("card-controls").Body(
					app.Label().For("strength").Title("strength").Body(app.Text("Strength"), app.Output().Class("numbers").Text(trim(p.s.Strength))),
					app.Input().ID("strength").Type("range").Min("0.05").Max("1").Step(0.05).Value(trim(p.s.Strength)).Aria("label", "Strength").
						OnInput(func(ctx app.Context, _ app.Event) { p.s.Strength = number(ctx, p.s.Strength) }),
					p.maskControls("mask-start", "Repaint a part", "Paint what shall be drawn anew. Nothing painted: all of it.", &p.startMask, p.start.url),
				),
				app.Button().Class("plain remove").Aria("label", "Remove start picture").Text("×").OnClick(func(app.Context, app.Event) { p.start, p.startMask = nil, mask{} }),
			)
		}),
	)
}

// schedulerNames are what people call them.
var schedulerNames = map[string]string{"ddim": "DDIM", "pndm": "PNDM", "dpmpp_2m": "DPM++ 2M", "dpmpp_2m_karras": "DPM++ 2M Karras",
	"euler": "Euler", "euler_a": "Euler a", "unipc": "UniPC", "lcm": "LCM"}

func (p *page) settings() app.UI {
	whole := func(label, tip string, value *int, least, most, step int) app.UI {
		return app.Div().Class("field").Title(tip).Body(
			app.Label().For("set-"+label).Text(label),
			app.Input().ID("set-"+label).Type("number").Class("numbers").Min(least).Max(most).Step(float64(step)).Value(*value).
				OnChange(func(ctx app.Context, _ app.Event) {
					*value = min(max(int(number(ctx, float64(*value)))/step*step, least), most)
				}),
		)
	}
	var options []app.UI
	for _, s := range settings.Schedulers() {
		options = append(options, option(s, schedulerNames[s], p.s.Scheduler))
	}
	lock := "Roll a new seed each time"
	if !p.seedLocked {
		lock = "Keep this seed"
	}
	return app.Details().Body(
		app.Summary().Text("Settings"),
		app.Div().Class("grid").Body(
			whole("Width", "pixels, a multiple of 8", &p.s.Width, 64, 1024, 8),
			whole("Height", "pixels, a multiple of 8", &p.s.Height, 64, 1024, 8),
			whole("Steps", "num_inference_steps", &p.s.NumInferenceSteps, 1, 150, 1),
			app.Div().Class("field").Title("guidance_scale").Body(
				app.Label().For("set-Guidance").Text("Guidance"),
				app.Input().ID("set-Guidance").Type("number").Class("numbers").Min("1").Max("30").Step(0.5).Value(trim(p.s.GuidanceScale)).
					OnChange(func(ctx app.Context, _ app.Event) {
						p.s.GuidanceScale = min(max(number(ctx, p.s.GuidanceScale), 0), 30)
					}),
			),
			app.Div().Class("field wide").Title("scheduler").Body(
				app.Label().For("set-Scheduler").Text("Scheduler"),
				app.Select().ID("set-Scheduler").Body(options...).OnChange(func(ctx app.Context, _ app.Event) { p.s.Scheduler = ctx.JSSrc().Get("value").String() }),
			),
			app.Div().Class("field wide").Body(
				app.Label().For("set-Seed").Text("Seed"),
				app.Div().Class("pair").Body(
					app.Input().ID("set-Seed").Type("number").Class("numbers").Min("0").Step(1).Value(strconv.FormatUint(p.s.Seed, 10)).
						OnChange(func(ctx app.Context, _ app.Event) {
							if v, err := strconv.ParseUint(ctx.JSSrc().Get("value").String(), 10, 64); err == nil {
								p.s.Seed, p.seedLocked = v, true
							}
						}),
					app.Button().Class("plain").Aria("pressed", fmt.Sprint(p.seedLocked)).Title(lock).
						Text(map[bool]string{true: "Seed kept", false: "New each time"}[p.seedLocked]).OnClick(func(app.Context, app.Event) { p.seedLocked = !p.seedLocked }),
				),
			),
			whole("Pictures", "num_images", &p.s.NumImages, 1, 16, 1),
		),
	)
}
