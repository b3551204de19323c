//go:build js && wasm

package ui

import (
	"fmt"
	"strconv"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/model/scheduler"
)

func (p *page) composerPanel() app.UI {
	return app.Section().Class("composer").Aria("label", "Composer").Body(
		app.Div().Class("sheets").Body(
			p.imagePrompts(),
			p.words(),
			p.startPicture(),
			p.settings(),
			&modelChoice{page: p, Models: p.library.Models(), Chosen: p.library.Chosen, Open: p.library.Open, Busy: p.jobs.Busy()},
		),
		p.goBar(),
	)
}

// goBar is what starts and ends a request.
func (p *page) goBar() app.UI {
	off := p.jobs.Engine.Refusal.Title != ""
	do, tip, act := "Generate", "Ctrl+Enter", p.generate
	if p.jobs.Busy() {
		do, tip, act = "Stop", "Esc", p.jobs.Stop
	}
	return app.Div().Class("go").Body(
		p.problem(state.AtGo),
		app.Div().Class("go-row").Body(
			app.Button().Class("primary").Text(do).Title(tip).Disabled(off).OnClick(func(app.Context, app.Event) { act() }, named(do)),
			app.Button().Class("plain").Text("Skip").Title("Drop this picture and go on with the next").Hidden(!p.jobs.Busy() || p.jobs.Shots.Left() < 2).
				OnClick(func(app.Context, app.Event) { p.jobs.Skip() }),
			app.Button().Class("plain").Text("λ strip").Title("The same seed at image weights 0, 0.25, 0.5, 0.75 and 1").Hidden(p.jobs.Busy()).
				Disabled(off || len(p.composer.Prompts) == 0).OnClick(func(app.Context, app.Event) { p.strip() }),
			app.Button().Class("plain").Text("Seed strip").Title("The same settings with five seeds").Hidden(p.jobs.Busy()).
				Disabled(off).OnClick(func(app.Context, app.Event) { p.seeds() }),
		),
	)
}

// problem is the place where something went wrong; it is there all the time, so that
// screen readers speak when it fills.
func (p *page) problem(at state.Place) app.UI {
	return alert(p.composer.Problems[at])
}

func alert(text string) app.UI {
	class := "alert"
	if text != "" {
		class = "problem"
	}
	return app.P().Class(class).Role("alert").Text(text)
}

// fileInput is a label that opens a picker.
func fileInput(label string, several bool, hint string, take func(files js.Value)) app.UI {
	return app.Label().Class("add").Body(
		icon("plus"), app.Span().Text(label), app.Span().Class("quiet").Text(hint),
		app.Input().Type("file").Accept("image/*").Multiple(several).Aria("label", label).OnChange(func(ctx app.Context, e app.Event) {
			src := ctx.JSSrc()
			// go-app wraps JavaScript values; the rest of this package has them plain.
			app.Window().Set("impromptFiles", src.Get("files"))
			files := js.Global().Get("Array").Call("from", js.Global().Get("impromptFiles"))
			app.Window().Set("impromptFiles", nil)
			take(files)
			src.Set("value", "")
		}),
	)
}

func option(value, text string) app.UI { return app.Option().Value(value).Text(text) }

func trim(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// number is what a control says, or another if that is none.
func number(ctx app.Context, missing float64) float64 {
	v, err := strconv.ParseFloat(ctx.JSSrc().Get("value").String(), 64)
	if err != nil || v != v {
		return missing
	}
	return v
}

func (p *page) words() app.UI {
	area := func(label, hint string, rows int, value *string, t protocol.Count) app.UI {
		note := ""
		if t.Limit > 0 {
			note = fmt.Sprintf("%d of %d tokens", t.Tokens, t.Limit)
		}
		cut := ""
		if t.Overflow != "" {
			cut = "Too long for the model, left out: " + t.Overflow
		}
		id := p.bind("words-"+label, *value)
		return app.Div().Class("field").Body(
			app.Label().For(id).Body(app.Text(label), app.Span().Class("numbers quiet").Aria("hidden", "true").Text(note)),
			app.Textarea().ID(id).Rows(rows).Placeholder(hint).Aria("label", label).OnInput(func(ctx app.Context, _ app.Event) {
				*value = ctx.JSSrc().Get("value").String()
				p.countTokens()
			}),
			alert(cut),
		)
	}
	return app.Section().Aria("label", "Words").Body(
		area("Prompt", "fox on a blue background", 3, &p.composer.Settings.Prompt, p.composer.Tokens.Prompt),
		area("Negative prompt", "what it should not be", 1, &p.composer.Settings.NegativePrompt, p.composer.Tokens.Negative),
	)
}

func (p *page) startPicture() app.UI {
	with := p.composer.Start != nil
	url, about := "", "none"
	if with {
		url, about = p.composer.Start.URL, p.composer.Start.Name
	}
	return app.Details().ID("start").Body(
		app.Summary().Body(app.Span().Text("Start picture"), app.Span().Class("quiet").Text(about)),
		app.Div().Class("offer").Hidden(with).Body(
			app.P().Class("quiet").Text("The result begins from this picture, or repaints a part of it."),
			fileInput("Add start picture", false, "", p.takeStart),
		),
		app.Div().Class("card").Hidden(!with).Body(
			app.Img().Src(url).Alt("Start picture").Class("crop"),
			app.Div().Class("card-controls").Body(
				app.Div().Class("field").Body(
					app.Label().For("strength").Title("strength: how far the result may go from it").Body(app.Text("Strength"), app.Span().Class("numbers").Text(trim(p.composer.Settings.Strength))),
					app.Input().ID(p.bind("strength", trim(p.composer.Settings.Strength))).Type("range").Min("0.05").Max("1").Step(0.05).Aria("label", "Strength").
						OnInput(func(ctx app.Context, _ app.Event) {
							p.composer.Settings.Strength = number(ctx, p.composer.Settings.Strength)
						}),
				),
			),
			app.Button().Class("remove").Aria("label", "Remove start picture").Title("Remove").Body(icon("close")).
				OnClick(func(app.Context, app.Event) { p.composer.SetStart(nil) }),
			app.Div().Class("card-more").Body(
				p.maskControls("mask-start", "Repaint a part", "Paint what shall be drawn anew. Nothing painted: all of it.", &p.composer.StartMask, url),
			),
		),
		p.problem(state.AtStart),
	)
}

func (p *page) settings() app.UI {
	// spin takes what is typed as soon as it is right, and puts right what is not when
	// the field is left.
	spin := func(label, tip string, least, most, step float64, value float64, set func(float64)) app.UI {
		id := p.bind("set-"+label, trim(value))
		return app.Div().Class("field").Title(tip).Body(
			app.Label().For(id).Text(label),
			app.Input().ID(id).Type("number").Class("numbers").Min(trim(least)).Max(trim(most)).Step(step).
				OnInput(func(ctx app.Context, _ app.Event) {
					if v := number(ctx, least-1); v >= least && v <= most {
						set(v)
					}
				}).
				OnChange(func(ctx app.Context, _ app.Event) {
					v := min(max(number(ctx, p.value(id)), least), most)
					set(v)
					ctx.JSSrc().Set("value", trim(p.value(id)))
				}),
		)
	}
	whole := func(label, tip string, least, most, step int, value *int) app.UI {
		return spin(label, tip, float64(least), float64(most), float64(step), float64(*value), func(v float64) {
			*value = max(least, int(v)/step*step)
			p.values["set-"+label] = strconv.Itoa(*value)
		})
	}
	var options []app.UI
	for _, s := range scheduler.All() {
		options = append(options, option(s.Name, s.Label))
	}
	lock, lockIcon := "Keep this seed", "open"
	if p.composer.SeedLocked {
		lock, lockIcon = "The seed is kept: roll a new one each time", "locked"
	}
	return app.Details().Body(
		app.Summary().Body(app.Span().Text("Settings"),
			app.Span().Class("quiet numbers").Text(fmt.Sprintf("%d × %d, %d steps", p.composer.Settings.Width, p.composer.Settings.Height, p.composer.Settings.NumInferenceSteps))),
		app.Div().Class("grid").Body(
			whole("Width", "pixels, a multiple of 8", 64, 1024, 8, &p.composer.Settings.Width),
			whole("Height", "pixels, a multiple of 8", 64, 1024, 8, &p.composer.Settings.Height),
			whole("Steps", "num_inference_steps", 1, 150, 1, &p.composer.Settings.NumInferenceSteps),
			spin("Guidance", "guidance_scale: how closely the words are followed; at 1 the negative prompt has no effect, and steps take half the time", 1, 30, 0.5, p.composer.Settings.GuidanceScale,
				func(v float64) { p.composer.Settings.GuidanceScale = v; p.values["set-Guidance"] = trim(v) }),
			app.Div().Class("field").Title("scheduler").Body(
				app.Label().For("set-Scheduler").Text("Scheduler"),
				app.Select().ID(p.bind("set-Scheduler", p.composer.Settings.Scheduler)).Body(options...).OnChange(func(ctx app.Context, _ app.Event) { p.composer.Settings.Scheduler = ctx.JSSrc().Get("value").String() }),
			),
			whole("Pictures", "num_images: how many at once, from one seed", 1, 16, 1, &p.composer.Settings.NumImages),
			app.Div().Class("field wide").Body(
				app.Label().For("set-Seed").Text("Seed"),
				app.Div().Class("pair").Body(
					app.Input().ID(p.bind("set-Seed", strconv.FormatUint(p.composer.Settings.Seed, 10))).Type("number").Class("numbers").Min("0").Step(1).
						OnInput(func(ctx app.Context, _ app.Event) {
							if v, err := strconv.ParseUint(ctx.JSSrc().Get("value").String(), 10, 64); err == nil {
								p.composer.SetSeed(v)
							}
						}),
					app.Button().Class("plain square").Aria("label", "Roll a new seed").Title("Roll a new seed").Body(icon("die")).
						OnClick(func(app.Context, app.Event) { p.composer.RollSeed() }),
					app.Button().Class("plain square").Aria("label", "Keep this seed").Aria("pressed", fmt.Sprint(p.composer.SeedLocked)).Title(lock).Body(icon(lockIcon)).
						OnClick(func(app.Context, app.Event) { p.composer.SeedLocked = !p.composer.SeedLocked }),
				),
			),
		),
		app.Button().Class("plain small").Aria("pressed", fmt.Sprint(p.composer.Settings.LowMemory)).Title("low_memory: takes less of the GPU's memory, and more time").
			Text(map[bool]string{true: "Low memory: on", false: "Low memory: when it runs out"}[p.composer.Settings.LowMemory]).OnClick(func(app.Context, app.Event) { p.composer.Settings.LowMemory = !p.composer.Settings.LowMemory }),
	)
}

// value is what a control of numbers shall show.
func (p *page) value(id string) float64 {
	v, _ := strconv.ParseFloat(p.values[id], 64) // put there by trim
	return v
}
