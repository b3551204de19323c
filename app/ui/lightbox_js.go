//go:build js && wasm

package ui

import (
	"fmt"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// stageSection is the stage. In the lightbox it is over the whole page, as a dialog.
func (p *page) stageSection() app.HTMLSection {
	stage := app.Section().ID("stage").TabIndex(-1).Aria("label", texts.T("Result"))
	if p.gallery.Lightbox {
		return stage.Class("stage lightbox").Role("dialog").Aria("modal", "true")
	}
	return stage.Class("stage")
}

// lightboxBar closes the lightbox, and goes to the pictures beside the one that is shown.
type lightboxBar struct {
	app.Compo
	Lit      bool // the lightbox is open
	Starred  bool // the picture in it
	Language string
	gallery  *state.Gallery
	curator  *curator
}

func (t *lightboxBar) Render() app.UI {
	with := func(do func(r *state.Result)) func() {
		return func() {
			if r := t.gallery.Shown; r != nil {
				do(r)
			}
		}
	}
	return app.Div().Class("lightbox-bar").Hidden(!t.Lit).Body(
		small("‹", texts.T("The picture before"), func() { t.gallery.Step(-1) }),
		small("›", texts.T("The next picture"), func() { t.gallery.Step(1) }),
		small("", texts.T("Star"), with(func(r *state.Result) { t.curator.star([]*state.Result{r}) })).Class("star").
			Aria("pressed", fmt.Sprint(t.Starred)).Body(icon("star")),
		small(texts.T("Delete"), texts.T("Delete"), with(t.curator.removeShown)),
		small(texts.T("Close"), texts.T("Close"), t.curator.close).Title(texts.T("Esc")).Class("end"),
	)
}
