//go:build js && wasm

package ui

import (
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/app/ui/gallerystore"
	"github.com/imprompt/imprompt/loader"
)

// Run shows the page; it does not return.
func Run() {
	app.Route("/", func() app.Composer { return newPage() })
	app.RouteWithRegexp(".*", func() app.Composer { return newPage() })
	app.RunWhenOnBrowser()
}

// page is the root: it owns the states, and wires them to each other, to the workers and to the browser.
type page struct {
	app.Compo
	ctx   app.Context
	loop  *loop
	drawn int // counts the drawings

	// States.
	composer  *state.Composer
	jobs      *state.Jobs
	library   *state.Library
	gallery   *state.Gallery
	stage     *state.Stage
	history   *state.History
	undo      *state.Undo
	back      state.Back
	note      state.Note // what was done on the visitor's behalf
	attention state.Attention
	dragged   bool   // a file is held over the page
	update    bool   // a new version of the site is ready
	titled    string // the title of the tab
	canShare  bool   // the browser hands pictures to other programs

	// What works on them.
	keeper    *keeper
	film      *film
	curator   *curator
	drafts    *drafts
	program   *program
	engine    *engine
	librarian *librarian
	controls  *controls
	canvases  *canvases
	viewer    *viewer
	intake    *intake
	typing    *typing
	camera    *camera
	checker   *checker
	mender    *mender
}

// newPage returns a page that can be drawn, which go-app does before it calls OnMount.
func newPage() *page {
	useLanguage()
	p := &page{loop: &loop{}, composer: state.NewComposer(), jobs: &state.Jobs{}, gallery: &state.Gallery{}, stage: &state.Stage{}, history: &state.History{}, undo: &state.Undo{},
		controls: &controls{values: map[string]string{}}}
	p.checker, p.mender = &checker{page: p}, &mender{page: p}
	p.engine, p.librarian = &engine{page: p}, &librarian{page: p}
	p.library = state.NewLibrary(p.librarian, p.undo)
	p.composer.Networks, p.composer.MapNetworks = p.library.Networks, p.library.MapNetwork
	p.library.Estimate = func(_ loader.Entry, b loader.Bundle) string { return p.jobs.Engine.OfEntry(b) }
	p.viewer = &viewer{stage: p.stage, composer: p.composer, gallery: p.gallery, jobs: p.jobs, loop: p.loop}
	p.canvases = &canvases{composer: p.composer, stage: p.stage, loop: p.loop, edit: p.viewer.edit, place: p.viewer.place}
	p.viewer.canvases = p.canvases
	p.typing = &typing{composer: p.composer, library: p.library, loop: p.loop, completion: &state.Completion{}}
	p.camera = &camera{loop: p.loop, problem: func(problem state.Problem) { p.composer.Problems[state.AtStructure] = problem }}
	store := gallerystore.New()
	p.viewer.store = store
	p.keeper = &keeper{gallery: p.gallery, jobs: p.jobs, store: store, undo: p.undo, note: &p.note, loop: p.loop, listed: make(chan struct{})}
	p.curator = &curator{gallery: p.gallery, stage: p.stage, keeper: p.keeper, note: &p.note, loop: p.loop}
	p.film = &film{gallery: p.gallery, curator: p.curator, loop: p.loop,
		thumbs: &thumbs{loop: p.loop, made: map[*state.Result]string{}, changed: func() { p.gallery.Changes++ }}}
	p.curator.film = p.film
	p.jobs.Begun, p.jobs.Scored = p.gallery.NextRequested, p.keeper.score
	p.drafts, p.program = &drafts{page: p}, &program{page: p}
	p.intake = &intake{composer: p.composer, gallery: p.gallery, store: store, undo: p.undo, note: &p.note, controls: p.controls, canvases: p.canvases, loop: p.loop,
		library: p.library, load: p.load, countTokens: p.countTokens}
	return p
}

func (p *page) OnMount(ctx app.Context) {
	p.ctx, p.loop.ctx = ctx, ctx
	p.canShare = canShare()
	p.attention.Name = js.Global().Get("document").Get("title").String()
	p.film.listen()
	p.viewer.listen()
	p.canvases.listen()
	p.viewer.listenKeys()
	p.listen()
	p.listenBack()
	p.typing.listen()
	p.program.listen()
	p.listenLanguage()
	p.update = js.Global().Get("impromptUpdate").Truthy()
	ctx.LocalStorage().Get("history", &p.history.Prompts)
	ctx.LocalStorage().Get(nearKey, &p.jobs.NoScores)
	p.librarian.open()
	p.engine.start()
	p.keeper.open()
	p.drafts.open()
}

func (p *page) Render() app.UI {
	p.drawn++
	p.stage.Settle(p.composer, p.gallery, state.OnStage(p.gallery, p.jobs))
	if p.ctx.Context != nil {
		p.loop.drawn(p.controls.settle)
		p.drafts.later()
		p.loop.drawn(p.title)
		p.loop.drawn(p.settleBack)
		p.loop.drawn(p.viewer.place)
		p.loop.drawn(p.curator.settle)
		p.loop.drawn(p.makeMaps)
		p.loop.drawn(p.camera.show)
		p.loop.drawn(p.program.keepAwake)
	}
	class := "studio"
	if p.dragged {
		class += " dragged"
	}
	progress := p.jobs.Progress(p.gallery.Shown)
	return app.Div().Class(class).Body(
		&header{Drawn: p.drawn, Update: p.update, CanInstall: p.program.canInstall(), program: p.program, checker: p.checker, speak: p.speak, jobs: p.jobs, library: p.library, librarian: p.librarian},
		app.Main().Class("room").Body(
			app.Section().Class("composer").Aria("label", texts.T("Composer")).Body(
				app.Div().Class("sheets").Body(
					&wordsPanel{Drawn: p.drawn, composer: p.composer, controls: p.controls, countTokens: p.countTokens, history: p.history, library: p.library, typing: p.typing},
					&promptsPanel{Drawn: p.drawn, composer: p.composer, controls: p.controls, canvases: p.canvases, adapters: p.library.Adapters,
						intake: p.intake, keep: p.keep, keeping: p.jobs.Keeping, takeSample: func(s state.Sample) { p.intake.sample(s, nil) }, clear: p.clear, mend: p.mender.do, library: p.library},
					aspects(p.composer, p.library.Chosen.TrainedFor()),
					&stylesPanel{Drawn: p.drawn, composer: p.composer, library: p.library, controls: p.controls, countTokens: p.countTokens, openModels: func() { p.librarian.show(true) }},
					&startPanel{Drawn: p.drawn, composer: p.composer, controls: p.controls, canvases: p.canvases, take: p.intake.start, mend: p.mender.do},
					&structurePanel{Drawn: p.drawn, composer: p.composer, library: p.library, controls: p.controls, canvases: p.canvases, camera: p.camera,
						take: p.intake.structure, opened: p.librarian.structureOpened, intake: p.intake, mend: p.mender.do},
					&settingsPanel{Drawn: p.drawn, composer: p.composer, controls: p.controls, library: p.library, load: p.load, mend: p.mender.do, jobs: p.jobs},
					&gridPanel{Of: p.gridOf(), composer: p.composer, jobs: p.jobs, library: p.library, controls: p.controls, draw: p.grid},
					&modelChoice{Language: texts.Code(), Models: p.library.Models(), Chosen: p.library.Chosen, Open: p.library.Open, Busy: p.jobs.Busy(), library: p.library, librarian: p.librarian, controls: p.controls},
				),
				&goPanel{Drawn: p.drawn, composer: p.composer, jobs: p.jobs, library: p.library, note: &p.note, undo: p.undo, mend: p.mender.do, request: p.request},
			),
			app.Div().Class("wall").Body(
				p.stageSection().Body(
					&lightboxBar{Language: texts.Code(), Lit: p.gallery.Lightbox, Starred: p.gallery.Shown != nil && p.gallery.Shown.Starred, gallery: p.gallery, curator: p.curator},
					&noticesPanel{Drawn: p.drawn, jobs: p.jobs, note: &p.note, tookBack: p.tookBack},
					&easel{Drawn: p.drawn, stage: p.stage, composer: p.composer, gallery: p.gallery, jobs: p.jobs, restart: p.restart, try: p.try, library: p.library,
						viewer: p.viewer, controls: p.controls, canvases: p.canvases, mend: p.mender.do},
					&progressLine{Progress: progress},
					&nearLine{Text: p.jobs.Near(state.OnStage(p.gallery, p.jobs))},
					openActions(),
					&actionsPanel{Drawn: p.drawn, CanShare: p.canShare, composer: p.composer, gallery: p.gallery, jobs: p.jobs, note: &p.note, intake: p.intake, loop: p.loop,
						vary: p.vary, moreLike: p.moreLike, upscale: p.upscale},
				),
				&galleryPanel{Changes: p.gallery.Changes, Shown: p.gallery.ShownURL(), gallery: p.gallery, film: p.film, curator: p.curator},
			),
		),
		&modelsPanel{Language: texts.Code(), Panel: p.library.Panel(), library: p.library, librarian: p.librarian, mend: p.mender.do},
		app.Div().Class("visually-hidden").Role("status").Aria("live", "polite").Text(progress.Spoken),
		app.Div().Class("drop").Aria("hidden", "true").Body(app.P().Text(texts.T("Drop it: a picture becomes an image prompt, one made here brings its settings back"))),
	)
}

// title sets the title of the tab.
func (p *page) title() {
	if text := p.attention.Title(p.jobs, p.library); text != p.titled {
		p.titled = text
		js.Global().Get("document").Set("title", text)
	}
}

// try generates a first picture from a sample.
func (p *page) try(s state.Sample) {
	if step := p.composer.Try(s, p.undo); step != nil {
		p.note = state.Note{Text: texts.T("The sample took the place of what was composed."), Undo: step}
	}
	p.controls.force = true
	p.countTokens()
	p.intake.sample(s, p.generate)
}

// clear empties the composer.
func (p *page) clear() {
	step := p.composer.Replacing(p.undo, nil)
	p.composer.Clear()
	p.note = state.Note{Text: texts.T("The words and the pictures were cleared."), Undo: step}
	p.intake.restored()
}

// open shows a panel.
func (p *page) open(panel string) {
	if panel == state.InModels {
		p.librarian.show(true)
		return
	}
	openPanel(panel)
	p.intake.reveal(panel)
}

// takeBack takes back what was done last.
func (p *page) takeBack() {
	if p.undo.Back() {
		p.tookBack()
	}
}

// tookBack shows what was brought back.
func (p *page) tookBack() {
	p.note = state.Note{Text: texts.T("Taken back.")}
	p.intake.restored()
}

// restart starts the engine again, after it could not start.
func (p *page) restart() {
	p.jobs.Engine.Refusal, p.composer.Problems = state.Refusal{}, state.Problems{}
	p.engine.start()
}
