//go:build js && wasm

package ui

import (
	"fmt"
	"math"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/web"
)

// easel holds the picture, the strip, or a way to begin. A picture, and what is edited, is in the view, where it can be
// zoomed and moved.
type easel struct {
	app.Compo
	Drawn    int
	stage    *state.Stage
	composer *state.Composer
	gallery  *state.Gallery
	jobs     *state.Jobs
	restart  func() // starts the engine again
	try      func(state.Sample)
	library  *state.Library
	viewer   *viewer
	controls *controls
	canvases *canvases
	mend     func(state.Remedy)
}

func (t *easel) Render() app.UI {
	layers := t.layers()
	scene := app.UI(app.Div().Hidden(true))
	if layers == nil {
		scene = t.scene()
	}
	return app.Div().Class("easel").Body(
		app.Div().ID(viewID).Class("view").Hidden(layers == nil).TabIndex(0).Role("group").Aria("label", texts.T("The picture")).
			Aria("description", texts.T("Plus and minus zoom, 0 shows all of it, 1 its own pixels. Arrow keys move it.")).Body(
			app.Div().Class("layers").Body(layers...),
			app.Div().Class("ring").Aria("hidden", "true"),
			t.line(),
			t.edges(),
			app.Raw(tint),
		),
		app.Div().Class("scene").Hidden(layers != nil).Body(scene),
		&viewBar{Drawn: t.Drawn, Shown: layers != nil, Full: isFull(), stage: t.stage, composer: t.composer, gallery: t.gallery, jobs: t.jobs, viewer: t.viewer, controls: t.controls, canvases: t.canvases},
	)
}

// tint is what a mask looks like over its picture: a dark veil where it is black, one of the accent's colour where it is white.
const tint = `<svg class="visually-hidden" aria-hidden="true"><filter id="tint" x="0" y="0" width="1" height="1" color-interpolation-filters="sRGB"><feColorMatrix values="0.88 0 0 0 0  0.33 0 0 0 0  0.16 0 0 0 0  0 0 0 0.5 0"/></filter></svg>`

// layers are what lies in the view, one on the other in the same size, which is that of the one with the class "whole". It
// is nil where the stage shows no single picture.
func (t *easel) layers() []app.UI {
	r := state.OnStage(t.gallery, t.jobs)
	switch e := t.stage.Editing(); {
	case t.jobs.Engine.Refusal.Title != "":
		return nil
	case e.What != "":
		return t.editor(e, r)
	case r != nil:
		return []app.UI{app.Img().Class("whole").Alt(texts.T("Result")).Src(r.URL), t.before(), t.overlay().Class("over")}
	case len(t.jobs.Shots) == 1 && t.jobs.Busy():
		return []app.UI{t.preview("whole"), t.before(), t.overlay().Class("over")}
	case len(t.jobs.Shots) <= 1 && t.composer.OverStage() != nil:
		return []app.UI{t.overlay().Class("whole")}
	}
	return nil
}

// before is the picture that the one on the stage is compared with.
func (t *easel) before() app.UI {
	url, fit := t.viewer.before()
	return app.Img().Class("before inset " + fit).Src(url).Alt(texts.F("Before: %s", t.stage.Compare.With.Label)).Hidden(url == "")
}

// line is moved between the two pictures.
func (t *easel) line() app.UI {
	c := t.stage.Compare
	url, _ := t.viewer.before()
	percent := int(math.Round(100 * c.Line))
	return app.Div().ID(lineID).Class("line").Role("slider").TabIndex(0).Hidden(url == "" || t.stage.Editing().What != "").
		Aria("label", texts.T("Before and after")).Aria("valuemin", 0).Aria("valuemax", 100).Aria("valuenow", percent).Aria("valuetext", texts.F("%d %% of %s", percent, c.With.Label))
}

// overlay shows a map over the picture.
func (t *easel) overlay() app.HTMLCanvas {
	canvas := app.Canvas().ID(stageMapID).Role("img")
	if s := t.composer.OverStage(); s != nil {
		return canvas.Aria("label", texts.F("The map %s", s.Name))
	}
	return canvas.Hidden(true)
}

// editor is what is edited, over the picture that it belongs to.
func (t *easel) editor(e state.Editing, shown *state.Result) []app.UI {
	under, fit, class := "", "", "whole tint"
	switch e.What {
	case state.EditBorders:
		s := t.composer.Settings
		return []app.UI{
			app.Canvas().Class("whole added").Width(s.Width).Height(s.Height).Aria("hidden", "true"),
			app.Img().Class("under inset " + fits[s.ResizeMode]).Src(t.composer.Start.URL).Alt(texts.T("Start picture")),
		}
	case state.EditStart:
		under, fit = t.composer.Start.URL, fits[t.composer.Settings.ResizeMode]
	case state.EditWhere:
		if shown != nil {
			under = shown.URL
		}
	default:
		class = "whole"
	}
	describe := texts.Text("Arrow keys move the brush, with Shift they paint, Space sets a dab. [ and ] change its size, E takes the eraser. Control and Z takes back.")
	if e.What == state.EditCrop {
		describe, class = cropKeys, class+" crop"
	}
	return []app.UI{
		app.Img().Class("under " + fit).Src(under).Role("presentation").Hidden(under == ""),
		app.Canvas().ID(editID).Class(class).TabIndex(0).Role("img").Aria("label", e.Title()).Aria("description", describe.String()),
	}
}

// scene is what the stage shows in place of a single picture.
func (t *easel) scene() app.UI {
	switch {
	case t.jobs.Engine.Refusal.Title != "":
		return t.refusal()
	case len(t.jobs.Shots) > 1:
		return app.Div().Class("spread").Body(t.strip(), plot(t.jobs))
	}
	return t.empty()
}

// refusal says why nothing can be drawn.
func (t *easel) refusal() app.UI {
	return app.Div().Class("empty").Body(
		app.H2().Text(t.jobs.Engine.Refusal.Title), app.P().Text(t.jobs.Engine.Refusal.Text),
		app.Button().Class("plain").Text(texts.T("Try again")).OnClick(func(app.Context, app.Event) { t.restart() }),
	)
}

// preview is where the picture in the making appears. It has its final shape from the first.
func (t *easel) preview(class string) app.UI {
	if !t.jobs.HasPreview {
		class += " blank"
	}
	width, height := t.jobs.Size()
	return app.Canvas().ID("preview").Class(class).Role("img").Aria("label", texts.T("Preview")).Width(width).Height(height)
}

// blank is an empty place of a picture's shape. The site's Content-Security-Policy rules out a style attribute for it.
func blank(width, height int) app.UI {
	return app.Raw(fmt.Sprintf(`<svg class="picture blank" viewBox="0 0 %d %d" aria-hidden="true"></svg>`, width, height))
}

// strip shows the pictures of a strip side by side, with places for those to come.
func (t *easel) strip() app.UI {
	if !t.jobs.Grid.Flat() {
		return t.gridView()
	}
	var list []app.UI
	for _, s := range t.jobs.Shots {
		place, label := t.place(s)
		list = append(list, app.Figure().Body(place, app.FigCaption().Class("numbers quiet").Text(label)))
	}
	return app.Div().Class("strip").Aria("label", texts.T("Strip")).Role("group").Body(list...)
}

// place shows one picture of a strip or a grid, or a place for it. The label says if it is left out.
func (t *easel) place(s *state.Shot) (place app.UI, label string) {
	switch r := s.Result; {
	case r != nil:
		return app.Button().Class("frame-button").Aria("label", texts.F("Show %s", s.Says())).Body(app.Img().Class("picture").Src(r.URL).Alt(s.Says())).
			OnClick(func(app.Context, app.Event) { t.gallery.ShowOfStrip(r) }, key(r)), s.Says()
	case s == t.jobs.At():
		return t.preview("picture"), s.Says()
	case s.Skipped:
		return blank(t.jobs.Size()), texts.F("%s, left out", s.Says())
	}
	return blank(t.jobs.Size()), s.Says()
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
		app.P().Class("quiet").Text(texts.F("The demo model draws these, %d pixels wide. For pictures of 512 pixels and more:", web.Ships.Size)),
		offerCard(bundles[0], t.library, t.mend),
	)
}

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
		app.H2().Text(texts.T("Start with a picture")),
		app.P().Class("quiet").Body(
			app.Span().Class("with-mouse").Text(texts.T("Drop one anywhere, or try one of these.")),
			app.Span().Class("with-touch").Text(texts.T("Try one of these.")),
		),
		app.Div().Class("tries").Body(list...),
		t.real(),
	)
}
