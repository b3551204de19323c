//go:build js && wasm

package ui

import (
	"strconv"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// startPanel takes the picture that the result begins from.
type startPanel struct {
	app.Compo
	Drawn    int
	composer *state.Composer
	controls *controls
	canvases *canvases
	take     func(files js.Value)
	mend     func(state.Remedy)
}

func (t *startPanel) Render() app.UI {
	start, s := t.composer.Start, &t.composer.Settings
	url, about := "", texts.T("none")
	if start != nil {
		url, about = start.URL, start.Name
	}
	return app.Details().ID("start").Body(
		app.Summary().Body(app.Span().Text(texts.T("Start picture")), app.Span().Class("quiet").Text(about)),
		app.Div().Class("offer").Hidden(start != nil).Body(
			app.P().Class("quiet").Text(texts.T("The result begins from this picture, or repaints a part of it.")),
			fileInput(state.AddStart, "Add start picture", pictureFiles, false, "", t.take),
		),
		app.Div().Class("card").Hidden(start == nil).Body(
			app.Img().Src(url).Alt(texts.T("Start picture")).Class("crop"),
			app.Div().Class("card-controls").Body(
				t.controls.slider(slider{id: "strength", label: "Strength", value: s.Strength, least: 0.05, most: 1},
					func(v float64) { s.Strength = v }),
			),
			app.Button().Class("remove").Aria("label", texts.T("Remove start picture")).Title(texts.T("Remove")).Body(icon("close")).
				OnClick(func(app.Context, app.Event) { t.composer.SetStart(nil) }),
			app.Div().Class("card-more").Body(
				t.shape(),
				app.Div().Class("tools").Body(
					t.canvases.editButton("Repaint a part", state.Editing{What: state.EditStart}),
					t.canvases.editButton("Extend the edges", state.Editing{What: state.EditBorders}),
				),
				t.overlay(),
			),
		),
		trouble(t.composer.Problems[state.AtStart], t.mend),
	)
}

// fits are the ways in which the picture lies under its mask, by the resize mode, as CSS's object-fit calls them.
var fits = map[string]string{state.KeepShape: "cover", settings.ResizeCrop: "cover", settings.ResizeFill: "contain", settings.ResizeOutpaint: "contain", settings.ResizeDefault: "fill"}

// shape chooses what happens where the picture's proportions are not the result's.
func (t *startPanel) shape() app.UI {
	return t.controls.choice("start-shape", "Shape", t.composer.Settings.ResizeMode, []app.UI{
		option(state.KeepShape, texts.T("Keep it: the size follows the picture")),
		option(settings.ResizeCrop, texts.T("Cut the picture to the size")),
		option(settings.ResizeOutpaint, texts.T("Fit it in, and draw the borders")),
		option(settings.ResizeFill, texts.T("Fit it in, and smear the borders")),
		option(settings.ResizeDefault, texts.T("Stretch it to the size")),
	}, func(v string) {
		t.composer.SetShape(v)
		t.canvases.paintLater()
	})
}

// overlay chooses whether what is not repainted stays as it is.
func (t *startPanel) overlay() app.UI {
	s := &t.composer.Settings
	return app.Div().Class("grid").Hidden(t.composer.StartMask.Empty() && s.ResizeMode != settings.ResizeOutpaint && !t.composer.Extended()).Body(
		app.Label().Class("check").Body(
			app.Input().Type("checkbox").Checked(s.MaskOverlay).OnChange(func(ctx app.Context, _ app.Event) { s.MaskOverlay = ctx.JSSrc().Get("checked").Bool() }),
			app.Span().Text(texts.T("Keep what is not painted")),
		),
		app.Div().Class("field").Hidden(!s.MaskOverlay).Body(
			labelLine("mask-feather", "Soft edge", true, texts.N(s.MaskFeather, "%d pixel", "%d pixels")),
			app.Input().ID(t.controls.bind("mask-feather", strconv.Itoa(s.MaskFeather))).Type("range").Min("0").Max("64").Step(1).Aria("label", texts.T("Soft edge")).
				OnInput(func(ctx app.Context, _ app.Event) { s.MaskFeather = int(number(ctx, float64(s.MaskFeather))) }),
		),
	)
}
