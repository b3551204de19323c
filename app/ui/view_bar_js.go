//go:build js && wasm

package ui

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
)

// viewBar is below the view: how it is looked at and compared, or the tools of what is edited.
type viewBar struct {
	app.Compo
	Drawn    int
	Shown    bool // there is something in the view
	Full     bool // on the whole screen
	stage    *state.Stage
	composer *state.Composer
	gallery  *state.Gallery
	jobs     *state.Jobs
	viewer   *viewer
	controls *controls
	canvases *canvases
}

func (t *viewBar) Render() app.UI {
	e := t.stage.Editing()
	m, crop := e.Mask(t.composer), e.Crop()
	var tools app.UI
	switch {
	case m != nil:
		tools = t.mask(e, m)
	case crop != nil:
		tools = t.crop(e, crop)
	default:
		tools = t.compare()
	}
	return app.Div().Class("view-bar").Hidden(!t.Shown).Body(tools, t.look(crop != nil))
}

// tool is a button with an icon, which says whether it is on.
func tool(image, label, title string, do func()) app.HTMLButton {
	return app.Button().Class("bare tool").Aria("label", label).Title(title).Body(icon(image)).OnClick(func(app.Context, app.Event) { do() }, named(label))
}

// look has the buttons of the view. A crop has none of its own: the whole picture is seen.
func (t *viewBar) look(crop bool) app.UI {
	view := &t.stage.View
	key := func(name string) func() { return func() { view.Key(name) } }
	return app.Div().Class("look").Role("group").Aria("label", "View").Body(
		tool("minus", "Zoom out", "Zoom out (−)", key("-")).Hidden(crop),
		app.Span().ID(percentID).Class("numbers quiet percent").Hidden(crop),
		tool("plus", "Zoom in", "Zoom in (+)", key("+")).Hidden(crop),
		tool("fit", "Fit", "All of the picture (0)", key("0")).Aria("pressed", fmt.Sprint(view.Fits())).Hidden(crop),
		tool("actual", "Actual size", "Its own pixels (1)", key("1")).Aria("pressed", fmt.Sprint(!view.Fits() && view.Scale() == 1)).Hidden(crop),
		tool("pixels", "Crisp pixels", "Crisp or smooth pixels", t.stage.ToggleCrisp).Aria("pressed", fmt.Sprint(t.stage.Crisp())).Hidden(crop),
		tool("full", "Full screen", "Full screen (F)", t.viewer.full).Aria("pressed", fmt.Sprint(t.Full)).Hidden(!canFull()),
	)
}

// compare chooses what the picture is compared with.
func (t *viewBar) compare() app.UI {
	c := &t.stage.Compare
	var options []app.UI
	others := 0
	if shown := state.OnStage(t.gallery, t.jobs); shown != nil && c.On {
		list := t.gallery.Others(shown)
		for _, o := range list {
			options = append(options, option(o.ID(), o.Label))
		}
		others = len(list)
	} else if shown != nil {
		others = len(t.gallery.Results) - 1
		if shown.Settings.InitImage != "" {
			others++
		}
	}
	body := []app.UI{
		tool("compare", "Compare", "Compare with another picture (C)", c.Toggle).Aria("pressed", fmt.Sprint(c.On)).Disabled(others <= 0),
	}
	if len(options) > 0 {
		body = append(body, app.Select().ID(t.controls.bind("compare-with", c.With.ID())).Aria("label", "Compare with").Body(options...).
			OnChange(func(ctx app.Context, _ app.Event) { c.Choose(t.gallery, text(ctx)) }))
	}
	return app.Div().Class("tools").Role("group").Aria("label", "Before and after").Body(body...)
}

// mask has the tools of a mask or a map.
func (t *viewBar) mask(e state.Editing, m *state.Mask) app.UI {
	brush, eraser, whole := "Brush", "Eraser", e.What != state.EditMap
	if !whole {
		brush, eraser = "White", "Black"
	}
	button := func(text, title string, do func()) app.HTMLButton {
		return app.Button().Class("plain small").Text(text).Title(title).OnClick(func(app.Context, app.Event) { do(); t.canvases.paintLater() }, key(m))
	}
	s := &t.composer.Settings
	return app.Div().Class("editing").Role("group").Aria("label", e.Title()).Body(
		t.head(e),
		app.Div().Class("tools").Body(
			button(brush, "E: the other one", func() { m.Erase = false }).Aria("pressed", fmt.Sprint(!m.Erase)),
			button(eraser, "E: the other one", func() { m.Erase = true }).Aria("pressed", fmt.Sprint(m.Erase)),
			app.Label().Class("inline").Title("[ and ]").Body(app.Span().Text("Size"),
				app.Input().ID(t.controls.bind("brush-size", trim(100*m.Width()))).Type("range").Min(trim(100*state.MinBrush)).Max(trim(100*state.MaxBrush)).Step(1).Aria("label", "Brush size").
					OnInput(func(ctx app.Context, _ app.Event) { m.Brush = number(ctx, 100*m.Width()) / 100 }, key(m))),
			app.Label().Class("inline").Title("mask_feather: over how many pixels, inside of what is painted, the original fades out").Hidden(e.What != state.EditStart || !s.MaskOverlay).Body(
				app.Span().Text("Soft edge"),
				app.Input().ID(t.controls.bind("stage-feather", strconv.Itoa(s.MaskFeather))).Type("range").Min("0").Max("64").Step(1).Aria("label", "Soft edge of the mask").
					OnInput(func(ctx app.Context, _ app.Event) {
						s.MaskFeather = int(number(ctx, float64(s.MaskFeather)))
						t.canvases.paintLater()
					})),
			button("Undo", "Ctrl+Z", m.Undo).Disabled(!m.CanUndo()),
			button("Redo", "Ctrl+Shift+Z", m.Redo).Disabled(!m.CanRedo()),
			button("All", "Paint all of it", m.All).Hidden(!whole),
			button("Invert", "Swap what is painted and what is not", m.Invert),
			button("Clear", "Take away all that is painted", m.Clear).Disabled(!m.CanClear()),
		),
	)
}

// crop has the sliders of a crop.
func (t *viewBar) crop(e state.Editing, crop *state.Crop) app.UI {
	slider := func(label string, least, most, step, value float64, set func(float64)) app.UI {
		id := t.controls.bind("stage-"+label, trim(math.Round(100*value)/100))
		return app.Label().Class("inline").Body(app.Span().Text(label),
			app.Input().ID(id).Type("range").Min(trim(least)).Max(trim(most)).Step(step).Aria("label", "Crop "+strings.ToLower(label)).
				OnInput(func(ctx app.Context, _ app.Event) {
					set(number(ctx, value))
					t.canvases.paint()
				}, key(crop)))
	}
	return app.Div().Class("editing").Role("group").Aria("label", e.Title()).Body(
		t.head(e),
		app.Div().Class("tools").Body(
			slider("Left to right", 0, 1, 0.01, crop.X, func(v float64) { crop.X = v }),
			slider("Top to bottom", 0, 1, 0.01, crop.Y, func(v float64) { crop.Y = v }),
			slider("Zoom", 1, state.MaxZoom, 0.05, crop.Zoom, crop.ZoomTo),
			app.Button().Class("plain small").Text("Reset").Title("0").OnClick(func(app.Context, app.Event) { crop.Key("0"); t.canvases.paintLater() }, key(crop)),
		),
	)
}

// head says what is edited, and ends it.
func (t *viewBar) head(e state.Editing) app.UI {
	return app.Div().Class("editing-head").Body(
		app.P().Class("quiet").Text(e.Hint()),
		app.Button().Class("plain small accent").Text("Done").Title("Esc").OnClick(func(app.Context, app.Event) { t.viewer.done() }),
	)
}
