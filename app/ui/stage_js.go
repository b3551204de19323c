//go:build js && wasm

package ui

import (
	"fmt"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
)

func (p *page) Render() app.UI {
	p.drawn++
	if p.ctx.Context != nil {
		p.loop.drawn(p.controls.settle)
	}
	class := "studio"
	if p.dragged {
		class += " dragged"
	}
	return app.Div().Class(class).Body(
		p.header(),
		app.Main().Class("room").Body(
			p.composerPanel(),
			app.Div().Class("wall").Body(
				p.stage(),
				&galleryPanel{page: p, Changes: p.gallery.Changes, Shown: p.gallery.ShownURL()},
			),
		),
		&modelsPanel{page: p, Panel: p.library.Panel()},
		app.Div().Class("visually-hidden").Role("status").Aria("live", "polite").Text(p.jobs.Progress(p.gallery.Shown).Spoken),
		app.Div().Class("drop").Aria("hidden", "true").Body(app.P().Text("Drop it: a picture becomes an image prompt, one made here brings its settings back")),
	)
}

func (p *page) stage() app.UI {
	return app.Section().ID("stage").Class("stage").Aria("label", "Result").Body(
		p.notices(),
		app.Div().Class("easel").Body(p.easel()),
		&progressLine{Progress: p.jobs.Progress(p.gallery.Shown)},
		p.actions(),
	)
}

// notices are what the visitor should know and need do nothing about.
func (p *page) notices() app.UI {
	software := p.jobs.Engine.GPU.Software && !p.hideNotice && p.jobs.Engine.Refusal.Title == ""
	return app.Div().Class("notices").Body(
		app.Div().Class("notice").Hidden(!software).Body(
			app.P().Body(app.Text("There is no graphics card here that the browser may use, so the processor draws: a picture takes minutes, not seconds. "),
				app.Button().Class("link").Text("What can be done").OnClick(func(app.Context, app.Event) { byID("about").Set("open", true) })),
			app.Button().Class("remove").Aria("label", "Close the notice").Body(icon("close")).OnClick(func(app.Context, app.Event) { p.hideNotice = true }),
		),
		app.Div().Class("notice").Role("status").Hidden(p.note.Text == "").Body(
			app.P().Text(p.note.Text),
			app.Button().Class("plain small").Text(p.note.Action).Hidden(p.note.Action == "").OnClick(func(app.Context, app.Event) { p.note.Do() }),
			app.Button().Class("remove").Aria("label", "Close the note").Body(icon("close")).OnClick(func(app.Context, app.Event) { p.note = state.Note{} }),
		),
	)
}

// easel holds the picture, the strip, or the way in.
func (p *page) easel() app.UI {
	picture := "picture"
	if p.gallery.ActualSize {
		picture = "picture actual"
	}
	switch {
	case p.jobs.Engine.Refusal.Title != "":
		return app.Div().Class("empty").Body(
			app.H2().Text(p.jobs.Engine.Refusal.Title), app.P().Text(p.jobs.Engine.Refusal.Text),
			app.Button().Class("plain").Text("Try again").OnClick(func(app.Context, app.Event) {
				p.jobs.Engine.Refusal, p.composer.Problems = state.Refusal{}, state.Problems{}
				p.engine.start()
			}),
		)
	case p.gallery.Shown != nil:
		return app.Img().Class(picture).Alt("Result").Src(p.gallery.Shown.URL)
	case len(p.jobs.Shots) > 1:
		return p.row()
	case p.jobs.Busy():
		return p.canvas(picture)
	case len(p.jobs.Shots) == 1 && p.jobs.Shots[0].Result != nil:
		return app.Img().Class(picture).Alt("Result").Src(p.jobs.Shots[0].Result.URL)
	}
	var list []app.UI
	for _, s := range samples[:3] {
		list = append(list, app.Button().Class("try").Body(
			app.Img().Src(here("web/samples/"+s.file)).Role("presentation"),
			app.Span().Text("This "+lower(s.title)+", "+s.where),
		).OnClick(func(app.Context, app.Event) {
			p.composer.Prompts, p.composer.Settings.Prompt, p.controls.force = nil, s.prompt(), true
			p.countTokens()
			p.intake.sample(s, p.generate)
		}, named(s.file)))
	}
	return app.Div().Class("empty").Body(
		app.H2().Text("Start with a picture"),
		app.P().Class("quiet").Text("Drop one anywhere, or try one of these."),
		app.Div().Class("tries").Body(list...),
	)
}

func lower(s string) string { return string(s[0]|0x20) + s[1:] }

// canvas is where the picture in the making appears, of its final shape from the first.
func (p *page) canvas(class string) app.UI {
	if !p.jobs.HasPreview {
		class += " blank"
	}
	width, height := p.jobs.Size()
	return app.Canvas().ID("preview").Class(class).Role("img").Aria("label", "Preview").Width(width).Height(height)
}

// blank is an empty place of a picture's shape: no style attribute may say it, by the
// policy.
func blank(width, height int) app.UI {
	return app.Raw(fmt.Sprintf(`<svg class="picture blank" viewBox="0 0 %d %d" aria-hidden="true"></svg>`, width, height))
}

// row shows the pictures of a strip side by side, with places for those to come.
func (p *page) row() app.UI {
	var list []app.UI
	for _, s := range p.jobs.Shots {
		place := blank(p.jobs.Size())
		label := s.Label
		switch r := s.Result; {
		case r != nil:
			place = app.Button().Class("frame-button").Aria("label", "Show "+s.Label).Body(app.Img().Class("picture").Src(r.URL).Alt(s.Label)).
				OnClick(func(app.Context, app.Event) { p.gallery.ShowOfStrip(r) }, key(r))
		case s == p.jobs.At():
			place = p.canvas("picture")
		case s.Skipped:
			label += ", left out"
		}
		list = append(list, app.Figure().Body(place, app.FigCaption().Class("numbers quiet").Text(label)))
	}
	return app.Div().Class("strip").Aria("label", "Strip").Role("group").Body(list...)
}

// actions are what can be done with the picture on the stage, or with the strip.
func (p *page) actions() app.UI {
	r := p.gallery.Shown
	strip := len(p.jobs.Shots) > 1
	if r == nil && !strip {
		r = p.jobs.Single()
	}
	// The buttons stay as they are and are hidden, so that none takes another's place
	// under the pointer.
	button := func(hidden bool, image, text string, do func(r *state.Result)) app.UI {
		var body []app.UI
		if image != "" {
			body = append(body, icon(image))
		}
		return app.Button().Class("plain small").Hidden(hidden).Body(append(body, app.Span().Text(text))...).
			OnClick(func(app.Context, app.Event) {
				if r != nil {
					do(r)
				}
			}, key(r))
	}
	fail := func(do func(r *state.Result) error) func(r *state.Result) {
		return func(r *state.Result) {
			p.ctx.Async(func() {
				if err := do(r); err != nil {
					p.ctx.Dispatch(func(app.Context) { p.note = state.Note{Text: err.Error()} })
				}
			})
		}
	}
	none := r == nil
	size := "Actual size"
	if p.gallery.ActualSize {
		size = "Fit"
	}
	back := "Back to the strip"
	if p.jobs.Busy() {
		back = "Back to the one in the making"
	}
	elsewhere := strip || p.jobs.Busy() && !p.gallery.Follow
	return app.Div().Class("actions").Role("group").Aria("label", "With this picture").Body(
		app.Button().Class("plain small").Hidden(none || !elsewhere).Body(app.Span().Text(back)).
			OnClick(func(app.Context, app.Event) { p.gallery.Back() }),
		app.Button().Class("plain small").Hidden(!none || !strip || !p.jobs.Shots.Any()).Body(icon("download"), app.Span().Text("Download as one sheet")).
			OnClick(func(app.Context, app.Event) { p.saveSheet() }),
		button(none, "download", "Download", func(r *state.Result) { download(r.FileName(), r.PNG.(js.Value)) }),
		button(none, "copy", "Copy", fail(func(r *state.Result) error { return copyPicture(r.PNG.(js.Value)) })),
		button(none || !p.canShare, "share", "Share", fail(func(r *state.Result) error { return share(r.PNG.(js.Value), r.FileName()) })),
		button(none, "", "Use as image prompt", p.intake.resultAsPrompt),
		button(none, "", "Use as start picture", p.intake.resultAsStart),
		button(none, "", "Use these settings", p.intake.restoreResult),
		button(none, "", "Same seed", func(r *state.Result) { p.composer.SetSeed(r.Settings.Seed) }),
		app.Button().Class("plain small").Hidden(none || elsewhere).Aria("pressed", fmt.Sprint(p.gallery.ActualSize)).Body(app.Span().Text(size)).
			OnClick(func(app.Context, app.Event) { p.gallery.ActualSize = !p.gallery.ActualSize }),
	)
}
