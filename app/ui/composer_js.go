//go:build js && wasm

package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
)

func (p *page) composerPanel() app.UI {
	return app.Section().Class("composer").Aria("label", "Composer").Body(
		app.Div().Class("sheets").Body(
			&promptsPanel{Drawn: p.drawn, composer: p.composer, controls: p.controls, canvases: p.canvases, adapters: p.library.Adapters, shownURL: p.gallery.ShownURL,
				takeFiles: p.intake.files, takeSample: func(s sample) { p.intake.sample(s, nil) }},
			&wordsPanel{Drawn: p.drawn, composer: p.composer, controls: p.controls, countTokens: p.countTokens},
			&startPanel{Drawn: p.drawn, composer: p.composer, controls: p.controls, canvases: p.canvases, take: p.intake.start},
			&settingsPanel{Drawn: p.drawn, composer: p.composer, controls: p.controls},
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
		alert(p.composer.Problems[state.AtGo]),
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
