//go:build js && wasm && !cli

package ui

import (
	"fmt"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

func (p *page) Render() app.UI {
	return app.Div().Class("studio").Body(
		p.header(),
		app.Main().Class("room").Body(
			p.composer(),
			p.stage(),
		),
		p.galleryStrip(),
		p.modelsPanel(),
		app.Div().Class("visually-hidden").Role("status").Aria("live", "polite").Text(p.spoken()),
	)
}

func (p *page) header() app.UI {
	return app.Header().Class("bar").Body(
		app.H1().Text("Imprompt"),
		app.P().Class("quiet motto").Text("Pictures from a picture and a few words, on your own GPU."),
		app.If(p.update, func() app.UI {
			return app.Button().Class("plain accent").Text("A new version is ready: use it").OnClick(func(app.Context, app.Event) {
				app.Window().Call("impromptUpdate")
			})
		}),
		app.Details().Class("about").Body(
			app.Summary().Text("About this GPU"),
			app.Div().Class("float").Body(p.aboutGPU()...),
		),
		app.Button().Class("plain").Aria("label", "Theme: "+map[string]string{"": "as the system", "light": "light", "dark": "dark"}[p.theme]).
			Title("Light, dark, or as the system").Text(map[string]string{"": "◐", "light": "○", "dark": "●"}[p.theme]).OnClick(p.switchTheme),
	)
}

func (p *page) aboutGPU() []app.UI {
	if p.noGPU != "" {
		return []app.UI{app.P().Text(p.noGPU)}
	}
	a := p.adapter
	if !a.ready {
		return []app.UI{app.P().Text("Not opened yet.")}
	}
	f16 := "no: activations take twice the memory"
	if a.f16 {
		f16 = "yes"
	}
	rows := [][2]string{
		{"Adapter", a.name}, {"16-bit floats", f16},
		{"Largest buffer", megabytes(a.maxBuffer)}, {"Largest binding", megabytes(a.maxBinding)},
		{"Memory in use", megabytes(a.memory)}, {"Most so far", megabytes(a.peak)}, {"Shaders", fmt.Sprint(a.pipelines)},
	}
	var list []app.UI
	for _, r := range rows {
		list = append(list, app.Dt().Text(r[0]), app.Dd().Text(r[1]))
	}
	body := []app.UI{app.Dl().Body(list...)}
	if a.software {
		body = append(body, app.P().Text("This is not a graphics card but the processor in its place: pictures take minutes instead of seconds. Check that hardware acceleration is switched on in the browser's settings."))
	}
	return append(body, app.P().Class("quiet").Body(
		app.Text("The model that ships was trained on Fluent Emoji (MIT), Noto Emoji and FxEmojis (Apache-2.0), Twemoji and EmojiOne (CC-BY 4.0): "),
		app.A().Href(here("web/model/ATTRIBUTION.md")).Text("attribution"), app.Text("."),
	))
}

func megabytes(n int) string {
	if n == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f MB", float64(n)/1e6)
}

// spoken is what a screen reader is told: stages and quarters, not every step.
func (p *page) spoken() string {
	switch {
	case p.problem != "":
		return p.problem
	case !p.busy && p.shown != nil && len(p.results) > 0 && p.shown == p.results[len(p.results)-1]:
		return "The picture is ready."
	case p.progress.stage == "denoise" && p.progress.steps > 0:
		return fmt.Sprintf("%d percent", 25*(4*p.progress.step/p.progress.steps))
	case p.busy:
		return p.describe()
	}
	return ""
}

// describe puts the progress in words.
func (p *page) describe() string {
	g := p.progress
	switch g.stage {
	case "load":
		if g.total > 0 {
			return fmt.Sprintf("Loading weights, %.0f %%", 100*g.done/g.total)
		}
		return "Loading weights"
	case "encode":
		return "Reading words and pictures"
	case "compile":
		return "Compiling shaders, the first time only"
	case "denoise":
		text := fmt.Sprintf("Step %d of %d · %.2f s a step · %s left", g.step, g.steps, g.secondsPerStep, seconds(g.left))
		if g.images > 1 {
			text = fmt.Sprintf("Picture %d of %d · ", g.image+1, g.images) + text
		}
		return text
	case "decode":
		return "Decoding"
	case "start":
		return "Starting"
	}
	return ""
}

func seconds(s float64) string {
	if s >= 90 {
		return fmt.Sprintf("%.0f min", s/60)
	}
	return fmt.Sprintf("%.0f s", s)
}

// fraction is how far the whole request is, 0 to 1.
func (p *page) fraction() float64 {
	g := p.progress
	switch {
	case g.stage == "load" && g.total > 0:
		return g.done / g.total
	case (g.stage == "denoise" || g.stage == "decode") && g.steps > 0 && g.images > 0:
		return (float64(g.image) + float64(g.step)/float64(g.steps)) / float64(g.images)
	}
	return 0
}

// sample is a picture that ships, to begin with.
type sample struct{ file, title, words string }

var samples = []sample{
	{"fox.png", "Fox", "on a yellow background"},
	{"cactus.png", "Cactus", "on a pink background"},
	{"strawberry.png", "Strawberry", "on a blue background"},
	{"octopus.png", "Octopus", "on a white background"},
	{"crescent-moon.png", "Moon", "on a black background"},
}

func (p *page) takeSample(s sample, then func()) {
	p.ctx.Async(func() {
		b, err := fetchBytes(here("web/samples/" + s.file))
		p.ctx.Dispatch(func(app.Context) {
			if err != nil {
				p.problem = "The sample could not be read: " + err.Error()
				return
			}
			p.addPrompt(&picture{name: s.file, bytes: b, url: here("web/samples/" + s.file)})
			if then != nil {
				then()
			}
		})
	})
}

func (p *page) stage() app.UI {
	return app.Section().Class("stage").Aria("label", "Result").Body(
		app.Div().Class("easel").Body(p.easel()),
		app.Div().Class("under").Body(
			app.Progress().Aria("label", "Progress").Max(1).Value(p.fraction()).Class(map[bool]string{true: "", false: "resting"}[p.busy || p.progress.stage != ""]),
			app.P().Class("numbers quiet").Text(p.describe()),
		),
		app.If(len(p.results) > 1, func() app.UI { return p.row() }),
		app.If(p.shown != nil, func() app.UI { return p.actions() }),
	)
}

func (p *page) easel() app.UI {
	switch {
	case p.noGPU != "":
		return app.Div().Class("empty").Body(app.H2().Text("No graphics card to draw with"), app.P().Text(p.noGPU))
	case p.preview:
		return app.Canvas().ID("preview").Class("picture").Aria("label", "Preview")
	case p.shown != nil:
		return app.Img().Class("picture").Alt("Result").Src(p.shown.url)
	}
	var list []app.UI
	for _, s := range samples[:3] {
		list = append(list, app.Button().Class("try").Disabled(p.busy).Body(
			app.Img().Src(here("web/samples/"+s.file)).Role("presentation"),
			app.Span().Text("This "+lower(s.title)+", "+s.words),
		).OnClick(func(app.Context, app.Event) {
			p.prompts, p.prompt = nil, s.words
			p.takeSample(s, p.generate)
		}))
	}
	return app.Div().Class("empty").Body(
		app.H2().Text("Start with a picture"),
		app.P().Class("quiet").Text("Drop one anywhere, or try one of these."),
		app.Div().Class("tries").Body(list...),
	)
}

func lower(s string) string { return string(s[0]|0x20) + s[1:] }

// row shows the pictures of a strip side by side.
func (p *page) row() app.UI {
	var list []app.UI
	for _, r := range p.results {
		list = append(list, app.Figure().Body(
			app.Button().Class("thumb").Aria("label", "Show "+r.label).Body(app.Img().Src(r.url).Alt(r.label)).
				OnClick(func(app.Context, app.Event) { p.shown = r }),
			app.FigCaption().Class("numbers quiet").Text(r.label),
		))
	}
	return app.Div().Class("row").Aria("label", "Strip").Role("group").Body(list...)
}

func (p *page) actions() app.UI {
	r := p.shown
	button := func(text string, do func()) app.UI {
		return app.Button().Class("plain").Text(text).OnClick(func(app.Context, app.Event) { do() })
	}
	again := func() *picture {
		return &picture{name: fmt.Sprintf("result-%d.png", r.settings.Seed), bytes: r.png, url: r.url}
	}
	return app.Div().Class("actions").Role("group").Aria("label", "With this picture").Body(
		button("Download", func() { download(fmt.Sprintf("imprompt-%d.png", r.settings.Seed), r.png, "image/png") }),
		button("Copy", func() {
			p.ctx.Async(func() {
				if err := copyPicture(r.png); err != nil {
					p.ctx.Dispatch(func(app.Context) { p.problem = err.Error() })
				}
			})
		}),
		button("Use as image prompt", func() { p.addPrompt(again()) }),
		button("Use as start picture", func() { p.start = again() }),
		button("Use these settings", func() { p.restore(r.settings, nil) }),
		button("Same seed", func() { p.s.Seed, p.seedLocked = r.settings.Seed, true }),
	)
}

func (p *page) galleryStrip() app.UI {
	var list []app.UI
	for _, r := range p.gallery {
		list = append(list, app.Figure().Body(
			app.Button().Class("thumb").Aria("label", "Show: "+title(r)).Title(title(r)).Body(app.Img().Src(r.url).Role("presentation").Loading("lazy")).
				OnClick(func(app.Context, app.Event) { p.shown, p.preview = r, false }),
			app.Button().Class("plain remove").Aria("label", "Delete: "+title(r)).Text("×").
				OnClick(func(app.Context, app.Event) { p.remove(r) }),
		))
	}
	return app.Section().Class("gallery").Aria("label", "Gallery").Body(
		app.Div().Class("gallery-head").Body(
			app.H2().Text("Gallery"),
			app.If(len(p.gallery) > 0, func() app.UI {
				return app.Button().Class("plain").Text("Export as zip").OnClick(func(app.Context, app.Event) { p.export() })
			}),
		),
		app.If(len(p.gallery) == 0, func() app.UI {
			return app.P().Class("quiet").Text("What you make is kept here, on this machine.")
		}).Else(func() app.UI { return app.Div().Class("row").Body(list...) }),
	)
}

func title(r *result) string {
	if r.settings.Prompt == "" {
		return fmt.Sprintf("picture of seed %d", r.settings.Seed)
	}
	return r.settings.Prompt
}
