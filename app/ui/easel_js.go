//go:build js && wasm

package ui

import (
	"fmt"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/web"
)

// easel holds the picture, the strip, or a way to begin.
type easel struct {
	app.Compo
	Drawn    int
	composer *state.Composer
	gallery  *state.Gallery
	jobs     *state.Jobs
	restart  func() // starts the engine again
	try      func(state.Sample)
	library  *state.Library
}

func (t *easel) Render() app.UI {
	s := t.composer.OverStage()
	return app.Div().Class("easel").Body(t.content(), app.If(s != nil, func() app.UI { return t.stageMap(s) }))
}

// stageMap shows a map over the picture, in the same size.
func (t *easel) stageMap(s *state.Structure) app.UI {
	class := "picture over"
	switch {
	case t.gallery.ActualSize:
		class += " actual"
	case t.composer.Settings.Width <= crispWidth:
		class += " crisp"
	}
	return app.Canvas().ID(stageMapID).Class(class).Role("img").Aria("label", "The map "+s.Name)
}

func (t *easel) content() app.UI {
	class, shots := "picture", t.jobs.Shots
	if t.gallery.ActualSize {
		class = "picture actual"
	}
	switch {
	case t.jobs.Engine.Refusal.Title != "":
		return t.refusal()
	case t.gallery.Shown != nil:
		return t.picture(t.gallery.Shown, class)
	case len(shots) > 1:
		return t.strip()
	case t.jobs.Busy():
		return t.preview(class)
	case len(shots) == 1 && shots[0].Result != nil:
		return t.picture(shots[0].Result, class)
	}
	return t.empty()
}

// refusal says why nothing can be drawn.
func (t *easel) refusal() app.UI {
	return app.Div().Class("empty").Body(
		app.H2().Text(t.jobs.Engine.Refusal.Title), app.P().Text(t.jobs.Engine.Refusal.Text),
		app.Button().Class("plain").Text("Try again").OnClick(func(app.Context, app.Event) { t.restart() }),
	)
}

// preview is where the picture in the making appears. It has its final shape from the first.
func (t *easel) preview(class string) app.UI {
	if !t.jobs.HasPreview {
		class += " blank"
	}
	width, height := t.jobs.Size()
	return app.Canvas().ID("preview").Class(class).Role("img").Aria("label", "Preview").Width(width).Height(height)
}

// blank is an empty place of a picture's shape. The site's Content-Security-Policy rules out a style attribute for it.
func blank(width, height int) app.UI {
	return app.Raw(fmt.Sprintf(`<svg class="picture blank" viewBox="0 0 %d %d" aria-hidden="true"></svg>`, width, height))
}

// strip shows the pictures of a strip side by side, with places for those to come.
func (t *easel) strip() app.UI {
	var list []app.UI
	for _, s := range t.jobs.Shots {
		place := blank(t.jobs.Size())
		label := s.Label
		switch r := s.Result; {
		case r != nil:
			place = app.Button().Class("frame-button").Aria("label", "Show "+s.Label).Body(app.Img().Class("picture").Src(r.URL).Alt(s.Label)).
				OnClick(func(app.Context, app.Event) { t.gallery.ShowOfStrip(r) }, key(r))
		case s == t.jobs.At():
			place = t.preview("picture")
		case s.Skipped:
			label += ", left out"
		}
		list = append(list, app.Figure().Body(place, app.FigCaption().Class("numbers quiet").Text(label)))
	}
	return app.Div().Class("strip").Aria("label", "Strip").Role("group").Body(list...)
}

// real offers a model of full size, as long as the demo model is used. Until the catalogue is here, the place is kept.
func (t *easel) real() app.UI {
	bundles := t.library.Bundles()
	switch {
	case t.library.Chosen.ID != "" || len(bundles) > 0 && bundles[0].Here:
		return app.Div().Hidden(true)
	case len(bundles) == 0:
		return app.Div().Class("real")
	}
	return app.Div().Class("real").Body(
		app.P().Class("quiet").Text(fmt.Sprintf("The demo model draws these, %d pixels wide. For pictures of 512 pixels and more:", web.Ships.Size)),
		offerCard(bundles[0], t.library),
	)
}

// picture shows a result. A small one is shown at twice its size, with its pixels crisp.
func (t *easel) picture(r *state.Result, class string) app.UI {
	img := app.Img().Class(class).Alt("Result").Src(r.URL)
	if s := r.Settings; s.Width <= crispWidth && !t.gallery.ActualSize {
		return img.Class("crisp").Width(2 * s.Width).Height(2 * s.Height)
	}
	return img
}

// crispWidth is the greatest width of a picture that is shown at twice its size.
const crispWidth = 256

// empty offers samples to begin with.
func (t *easel) empty() app.UI {
	var list []app.UI
	for _, s := range state.Samples[:3] {
		list = append(list, app.Button().Class("try").Body(
			app.Img().Src(here("web/samples/"+s.File)).Role("presentation"),
			app.Span().Text(s.Offer()),
		).OnClick(func(app.Context, app.Event) { t.try(s) }, named(s.File)))
	}
	return app.Div().Class("empty").Body(
		app.H2().Text("Start with a picture"),
		app.P().Class("quiet").Body(
			app.Span().Class("with-mouse").Text("Drop one anywhere, or try one of these."),
			app.Span().Class("with-touch").Text("Try one of these."),
		),
		app.Div().Class("tries").Body(list...),
		t.real(),
	)
}
