//go:build js && wasm

package ui

import (
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// actionsPanel is what can be done with the picture on the stage, or with the strip.
type actionsPanel struct {
	app.Compo
	Drawn    int
	CanShare bool // the browser hands pictures to other programs
	composer *state.Composer
	gallery  *state.Gallery
	jobs     *state.Jobs
	note     *state.Note
	intake   *intake
	loop     *loop
	vary     func(r *state.Result) // draws variations
	moreLike func(r *state.Result)
	upscale  func(r *state.Result, scale float64)
}

func (t *actionsPanel) Render() app.UI {
	r := state.OnStage(t.gallery, t.jobs)
	strip := len(t.jobs.Shots) > 1
	none, off := r == nil, t.jobs.Engine.Refusal.Title != ""
	// The buttons stay where they are and are hidden, so that none takes another's place under the pointer.
	button := func(hidden bool, image, text string, do func(r *state.Result)) app.HTMLButton {
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
	upscale := func(i int) app.UI {
		scale := state.UpscaleScales[i]
		return button(none || off || !state.CanUpscale(r, scale), "", texts.F("Upscale %s ×", texts.Trimmed(scale)), func(r *state.Result) { t.upscale(r, scale) }).
			Title(texts.T("Drawn again from this picture, larger and with finer details"))
	}
	back := texts.T("Back to the strip")
	if !t.jobs.Grid.Flat() {
		back = texts.T("Back to the grid")
	}
	if t.jobs.Busy() {
		back = texts.T("Back to the picture in progress")
	}
	elsewhere := strip || t.jobs.Busy() && !t.gallery.Follow
	return app.Div().ID(actionsID).Class("actions").Attr("popover", "auto").Role("group").Aria("label", texts.T("With this picture")).Body(
		app.Button().Class("plain small").Hidden(none || !elsewhere).Body(app.Span().Text(back)).
			OnClick(func(app.Context, app.Event) { t.gallery.Back() }),
		app.Button().Class("plain small").Hidden(!none || !strip || !t.jobs.Shots.Any()).Body(icon("download"), app.Span().Text(texts.T("Download as one sheet"))).
			OnClick(func(app.Context, app.Event) { t.saveSheet() }),
		button(none, "download", texts.T("Download"), func(r *state.Result) { download(r.FileName(), r.PNG.(js.Value)) }),
		button(none, "copy", texts.T("Copy"), t.tell(texts.T("Copied."), func(r *state.Result) error { return copyPicture(r.PNG.(js.Value)) })),
		button(none || !t.CanShare, "share", texts.T("Share"), t.tell("", func(r *state.Result) error { return share(r.PNG.(js.Value), r.FileName()) })),
		button(none || off, "", texts.T("Variations"), t.vary).Title(texts.T("The same seed and settings, with a little of other noise")),
		button(none || off, "", texts.T("More like this"), t.moreLike).Title(texts.T("New seeds, with this picture as an image prompt")),
		upscale(0), upscale(1), upscale(2),
		button(none, "", texts.T("Use as image prompt"), t.intake.resultAsPrompt),
		button(none, "", texts.T("Use as start picture"), t.intake.resultAsStart),
		button(none, "", texts.T("Extend"), t.intake.extendResult).Title(texts.T("Use it as the start picture, and drag its edges outwards")),
		button(none, "", texts.T("Use as map"), t.intake.resultAsStructure),
		button(none, "", texts.T("Use these settings"), t.intake.restoreResult),
		button(none, "", texts.T("Same seed"), func(r *state.Result) {
			t.composer.SetSeed(r.Settings.Seed)
			*t.note = state.Note{Text: texts.F("The next pictures have the seed %d.", r.Settings.Seed)}
		}),
	)
}

// actionsID is the id of the actions. On a phone they are a sheet, which openActions opens.
const actionsID = "actions"

func openActions() app.UI {
	return app.Button().Class("plain opens-actions").Text(texts.T("With this picture …")).Attr("popovertarget", actionsID)
}

// tell does something that takes a while, and tells the visitor how it went.
func (t *actionsPanel) tell(done string, do func(r *state.Result) error) func(r *state.Result) {
	return func(r *state.Result) {
		t.loop.beside(func() func() {
			err := do(r)
			return func() {
				*t.note = state.Note{Text: done}
				if err != nil {
					t.note.Text = err.Error()
				}
			}
		})
	}
}

// saveSheet saves the strip on one sheet.
func (t *actionsPanel) saveSheet() {
	sheet, err := state.NewSheet(t.jobs.Shots, t.jobs.Grid, t.composer.Prompts)
	t.loop.beside(func() func() {
		var png js.Value
		if err == nil {
			png, err = drawSheet(sheet)
		}
		return func() {
			if err != nil {
				*t.note = state.Note{Text: texts.F("The sheet could not be drawn: %s", texts.Translate(err.Error())), Action: texts.T("Try again"), Do: t.saveSheet}
				return
			}
			download(sheet.FileName, png)
		}
	})
}
