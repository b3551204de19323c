//go:build js && wasm

package ui

import (
	"cmp"
	"fmt"
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/model/scheduler"
)

// settingsPanel has a control for each setting that is a number or a choice.
type settingsPanel struct {
	app.Compo
	Drawn    int
	composer *state.Composer
	controls *controls
	library  *state.Library
	load     func() // the chosen model, with the chosen VAE
	jobs     *state.Jobs
	mend     func(state.Remedy)
}

func (t *settingsPanel) Render() app.UI {
	s := &t.composer.Settings
	return app.Details().ID("settings").Body(
		app.Summary().Body(app.Span().Text(texts.T("Settings")),
			app.Span().Class("quiet numbers").Text(texts.F("%d × %d, %d steps", s.Width, s.Height, s.NumInferenceSteps))),
		app.Div().Class("grid").Body(
			t.edge("Width", s.Width, t.composer.SetWidth),
			t.edge("Height", s.Height, t.composer.SetHeight),
			t.whole("Steps", 1, 150, 1, s.NumInferenceSteps, func(n int) { s.NumInferenceSteps = n }),
			t.spin("Guidance", 1, 30, 0.5, s.GuidanceScale,
				func(v float64) string { s.GuidanceScale = v; return trim(v) }),
			t.spin("Guidance from", 0, 1, 0.05, s.GuidanceStart, func(v float64) string { t.composer.SetGuidanceStart(v); return trim(v) }),
			t.spin("Guidance until", 0.05, 1, 0.05, cmp.Or(s.GuidanceStop, 1), func(v float64) string { t.composer.SetGuidanceStop(v); return trim(v) }),
			t.whole("Whole steps", 1, 5, 1, max(s.CacheInterval, 1), t.composer.SetCacheInterval),
			t.spin("Merged tokens", 0, settings.MaxTomeRatio, 0.05, s.TomeRatio, func(v float64) string { s.TomeRatio = v; return trim(v) }),
			t.secondPass(),
			t.tiles(),
			t.scheduler(),
			t.eta(),
			t.whole("Clip skip", 0, 11, 1, s.ClipSkip, func(n int) { s.ClipSkip = n }),
			t.whole("Pictures", 1, 16, 1, s.NumImages, func(n int) { s.NumImages = n }),
			t.seed(),
			t.spin("Variation", 0, 1, 0.05, s.VariationStrength, func(v float64) string { t.composer.SetVariation(v); return trim(v) }),
			t.variationSeed(),
			t.noise(),
			t.background(),
			t.vae(),
			t.previews(),
		),
		app.Div().Class("tools").Body(
			app.Button().Class("plain small").Aria("pressed", fmt.Sprint(s.LowMemory)).
				Text(map[bool]string{true: texts.T("Low memory: on"), false: texts.T("Low memory: when it runs out")}[s.LowMemory]).OnClick(func(app.Context, app.Event) { s.LowMemory = !s.LowMemory }),
			info("low-memory", "Low memory"),
			app.Button().Class("plain small").Aria("pressed", fmt.Sprint(s.VAETiling)).
				Text(map[bool]string{true: texts.T("Decode in tiles: on"), false: texts.T("Decode in tiles: when it must be")}[s.VAETiling]).OnClick(func(app.Context, app.Event) { s.VAETiling = !s.VAETiling }),
			info("vae-tiling", "Decode in tiles"),
			t.nearness(),
			info("nearness", "How near"),
		),
	)
}

// secondPass is shown for pictures from words. What only a second pass has is shown when there is one.
func (t *settingsPanel) secondPass() app.UI {
	c := t.composer
	s := &c.Settings
	var upscalers []app.UI
	for i, name := range settings.HiresUpscalers {
		upscalers = append(upscalers, option(name, []string{texts.T("Smoothly"), texts.T("A little sharper"), texts.T("Repeating")}[i]))
	}
	return app.Div().Class("block").Hidden(c.Start != nil).Body(
		t.spin("Second pass", 1, 4, 0.25, max(s.HiresScale, 1), func(v float64) string { c.SetHiresScale(v); return trim(v) }),
		app.Div().Class("block").Hidden(!s.Twice()).Body(
			t.spin("Second strength", 0.05, 1, 0.05, cmp.Or(s.HiresStrength, settings.HiresStrength), func(v float64) string { c.SetHiresStrength(v); return trim(v) }),
			t.whole("Second steps", 0, 150, 1, s.HiresSteps, c.SetHiresSteps),
			t.controls.choice("set-Enlarged by", "Enlarged by", cmp.Or(s.HiresUpscaler, settings.HiresUpscalers[0]), upscalers, func(v string) { s.HiresUpscaler = v }),
		),
	)
}

// tiles is shown for pictures from a start picture.
func (t *settingsPanel) tiles() app.UI {
	return app.Div().Class("block").Hidden(t.composer.Start == nil).Body(
		t.whole("Tiles", 0, state.MaxEdge, 8, t.composer.Settings.TileSize, t.composer.SetTileSize))
}

// noise chooses what draws the noise of a seed.
func (t *settingsPanel) noise() app.UI {
	s := &t.composer.Settings
	return t.controls.choice("set-Noise", "Noise",
		cmp.Or(s.GeneratorDevice, settings.GeneratorCPU), []app.UI{option(settings.GeneratorCPU, texts.T("CPU, as diffusers")), option(settings.GeneratorGPU, texts.T("GPU, as A1111"))},
		func(v string) { s.GeneratorDevice = v }).Class("wide")
}

// vae chooses what turns latents into pixels.
func (t *settingsPanel) vae() app.UI {
	s := &t.composer.Settings
	list, bare := t.library.VAEs(), t.library.Chosen.WithoutVAE
	chosen, known := t.library.VAEOf(*s)
	own := texts.T("The model's own")
	if bare {
		own = ""
	}
	id := chosen.ID
	if !known {
		id = s.VAE
	}
	return t.vaeChoice("VAE",
		own, list, id, func(id string) {
			s.VAE, s.VAEHash = id, ""
			t.load()
		})
}

// previews chooses what shows the picture in the making.
func (t *settingsPanel) previews() app.UI {
	s := &t.composer.Settings
	return t.vaeChoice("Previews", texts.T("Rough, but instant"), t.library.Previews(), s.PreviewVAE,
		func(id string) { s.PreviewVAE = id })
}

// vaeChoice chooses from a list of VAEs, and offers to download the chosen one. own is the choice of none; "" is no choice.
func (t *settingsPanel) vaeChoice(label texts.Text, own string, list []state.VAE, chosen string, choose func(id string)) app.UI {
	var options []app.UI
	if own != "" {
		options = append(options, option("", own))
	}
	missing := app.UI(app.Div().Hidden(true))
	known := chosen == ""
	for _, v := range list {
		name := v.Name
		if !v.Here {
			name += " (" + texts.F("%s to download", texts.Bytes(v.Bytes)) + ")"
		}
		options = append(options, option(v.ID, name))
		if v.ID == chosen {
			known = true
			if !v.Here {
				missing = offerCard(t.library.Offer(v.Group()), t.library, t.mend)
			}
		}
	}
	if !known {
		options = append(options, option(chosen, texts.F("%s, which is not here", chosen)))
	}
	id := t.controls.bindChoice("set-"+string(label), chosen)
	return app.Div().Class("field wide").Hidden(len(list) == 0 && known).Body(
		labelled(id, label),
		app.Select().ID(id).Body(options...).OnChange(func(ctx app.Context, _ app.Event) { choose(chosenIn(ctx)) }),
		missing,
	)
}

// background chooses what is seen behind transparent pictures.
func (t *settingsPanel) background() app.UI {
	const white = "#ffffff"
	s := &t.composer.Settings
	return app.Div().Class("field").Body(
		labelled("set-Background", "Background"),
		app.Input().ID(t.controls.bind("set-Background", cmp.Or(s.Background, white))).Type("color").OnInput(func(ctx app.Context, _ app.Event) {
			if s.Background = text(ctx); s.Background == white {
				s.Background = ""
			}
		}),
	)
}

// spin is a field for a number. What is typed is taken as soon as it is valid, and put right when the field is left.
// set takes a value and returns what the field is to show for it.
func (t *settingsPanel) spin(label texts.Text, least, most, step float64, value float64, set func(float64) string) app.UI {
	id := t.controls.bind("set-"+string(label), trim(value))
	take := func(v float64) { t.controls.bind(id, set(v)) }
	return app.Div().Class("field").Body(
		labelled(id, label),
		app.Input().ID(id).Type("number").Class("numbers").Min(trim(least)).Max(trim(most)).Step(step).
			OnInput(func(ctx app.Context, _ app.Event) {
				if v := number(ctx, least-1); v >= least && v <= most {
					take(v)
				}
			}).
			OnChange(func(ctx app.Context, _ app.Event) {
				take(min(max(number(ctx, t.controls.number(id)), least), most))
				ctx.JSSrc().Set("value", trim(t.controls.number(id)))
			}),
	)
}

// whole is a field for a whole number, a multiple of step.
func (t *settingsPanel) whole(label texts.Text, least, most, step, value int, set func(int)) app.UI {
	return t.spin(label, float64(least), float64(most), float64(step), float64(value), func(v float64) string {
		n := max(least, int(v)/step*step)
		set(n)
		return strconv.Itoa(n)
	})
}

// edge is a field for a width or a height.
func (t *settingsPanel) edge(label texts.Text, value int, set func(int)) app.UI {
	return t.whole(label, state.MinEdge, state.MaxEdge, 8, value, set)
}

func (t *settingsPanel) scheduler() app.UI {
	s := &t.composer.Settings
	var options []app.UI
	for _, o := range scheduler.All() {
		options = append(options, option(o.Name, o.Label))
	}
	return app.Div().Class("field").Body(
		labelled("set-Scheduler", "Scheduler"),
		app.Select().ID(t.controls.bind("set-Scheduler", s.Scheduler)).Body(options...).OnChange(func(ctx app.Context, _ app.Event) { s.Scheduler = text(ctx) }),
	)
}

// eta is shown for the schedulers that read it.
func (t *settingsPanel) eta() app.UI {
	s := &t.composer.Settings
	chosen, _ := scheduler.Find(s.Scheduler)
	return app.Div().Hidden(!chosen.Eta).Body(t.spin("Eta", 0, 1, 0.1, s.Eta,
		func(v float64) string { s.Eta = v; return trim(v) }))
}

func (t *settingsPanel) seed() app.UI {
	c := t.composer
	lock, lockIcon := texts.T("Keep this seed"), "open"
	if c.SeedLocked {
		lock, lockIcon = texts.T("The seed is kept: roll a new one each time"), "locked"
	}
	return t.seedField("Seed", c.Settings.Seed, c.SetSeed, "Roll a new seed", c.RollSeed,
		app.Button().Class("plain square").Aria("label", texts.T("Keep this seed")).Aria("pressed", fmt.Sprint(c.SeedLocked)).Title(lock).Body(icon(lockIcon)).
			OnClick(func(app.Context, app.Event) { c.SeedLocked = !c.SeedLocked }),
	)
}

// variationSeed is shown where a part of its noise is taken.
func (t *settingsPanel) variationSeed() app.UI {
	s := &t.composer.Settings
	return t.seedField("Variation seed", s.VariationSeed, func(v uint64) { s.VariationSeed = v }, "Roll a new variation seed", t.composer.RollVariation).
		Hidden(s.VariationStrength == 0)
}

// seedField is a field for a seed, with a button that rolls another one.
func (t *settingsPanel) seedField(label texts.Text, value uint64, set func(uint64), rollLabel texts.Text, roll func(), more ...app.UI) app.HTMLDiv {
	id := t.controls.bind("set-"+string(label), strconv.FormatUint(value, 10))
	row := []app.UI{
		app.Input().ID(id).Type("number").Class("numbers").Min("0").Step(1).
			OnInput(func(ctx app.Context, _ app.Event) {
				if v, err := strconv.ParseUint(text(ctx), 10, 64); err == nil {
					set(v)
				}
			}),
		app.Button().Class("plain square").Aria("label", rollLabel.String()).Title(rollLabel.String()).Body(icon("die")).
			OnClick(func(app.Context, app.Event) { roll() }),
	}
	return app.Div().Class("field wide").Body(labelled(id, label), app.Div().Class("pair").Body(append(row, more...)...))
}
