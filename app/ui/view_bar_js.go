//go:build js && wasm

package ui

import (
	"fmt"
	"math"
	"slices"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
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
	case e.What == state.EditBorders:
		tools = t.borders(e)
	case m != nil:
		tools = t.mask(e, m)
	case crop != nil:
		tools = t.crop(e, crop)
	default:
		tools = t.compare()
	}
	return app.Div().Class("view-bar").Hidden(!t.Shown).Body(tools, t.look(crop != nil))
}

// tool is a button of the bar, with an icon or words.
type tool struct {
	image        string
	label, title texts.Text
	do           func()
	toggles, on  bool // it says whether it is on
	off, hidden  bool // it cannot be used, or is not there
}

// tools draws buttons. of is what they work on.
func (t *viewBar) tools(of any, list ...tool) []app.UI {
	var buttons []app.UI
	for _, b := range list {
		button := app.Button().Title(b.title.String()).Disabled(b.off).Hidden(b.hidden).OnClick(func(app.Context, app.Event) {
			b.do()
			t.canvases.paintLater()
		}, named(fmt.Sprintf("%s %p", b.label, of)))
		if b.image == "" {
			button = button.Class("plain small").Text(b.label.String())
		} else {
			button = button.Class("bare tool").Aria("label", b.label.String()).Body(icon(b.image))
		}
		if b.toggles {
			button = button.Aria("pressed", fmt.Sprint(b.on))
		}
		buttons = append(buttons, button)
	}
	return buttons
}

// ranged is a slider of the bar. name is what assistive technology calls it.
type ranged struct {
	label, name              texts.Text
	value, least, most, step float64
}

// slide draws a slider.
func (t *viewBar) slide(of any, hidden bool, s ranged, set func(float64)) app.UI {
	return app.Label().Class("inline").Hidden(hidden).Body(app.Span().Text(s.label.String()),
		app.Input().ID(t.controls.bind("stage-"+string(s.label), trim(math.Round(100*s.value)/100))).Type("range").Min(trim(s.least)).Max(trim(s.most)).Step(s.step).Aria("label", s.name.String()).
			OnInput(func(ctx app.Context, _ app.Event) {
				set(number(ctx, s.value))
				t.canvases.paint()
			}, key(of)))
}

// look has the buttons of the view. A crop has none of its own: the whole picture is seen.
func (t *viewBar) look(crop bool) app.UI {
	view := &t.stage.View
	key := func(name string) func() { return func() { view.Key(name) } }
	list := t.tools(t,
		tool{image: "minus", label: "Zoom out", title: "Zoom out (−)", do: key("-"), hidden: crop},
		tool{image: "plus", label: "Zoom in", title: "Zoom in (+)", do: key("+"), hidden: crop},
		tool{image: "fit", label: "Fit", title: "All of the picture (0)", do: key("0"), toggles: true, on: view.Fits(), hidden: crop},
		tool{image: "actual", label: "Actual size", title: "Its own pixels (1)", do: key("1"), toggles: true, on: !view.Fits() && view.Scale() == 1, hidden: crop},
		tool{image: "pixels", label: "Crisp pixels", title: "Crisp or smooth pixels", do: t.stage.ToggleCrisp, toggles: true, on: t.stage.Crisp(), hidden: crop},
		tool{image: "full", label: "Full screen", title: "Full screen (F)", do: t.viewer.full, toggles: true, on: t.Full, hidden: !canFull()},
	)
	return app.Div().Class("look").Role("group").Aria("label", texts.T("View")).Body(slices.Insert(list, 1, app.UI(app.Span().ID(percentID).Class("numbers quiet percent").Hidden(crop)))...)
}

// compare chooses what the picture is compared with.
func (t *viewBar) compare() app.UI {
	c := &t.stage.Compare
	shown := state.OnStage(t.gallery, t.jobs)
	any := shown != nil && (len(t.gallery.Results) > 1 || shown.Settings.InitImage != "")
	body := t.tools(t, tool{image: "compare", label: "Compare", title: "Compare with another picture (C)", do: c.Toggle, toggles: true, on: c.On, off: !any})
	if any && c.On {
		var options []app.UI
		for _, o := range t.gallery.Others(shown) {
			options = append(options, option(o.ID(), o.Label))
		}
		body = append(body, app.Select().ID(t.controls.bind("compare-with", c.With.ID())).Aria("label", texts.T("Compare with")).Body(options...).
			OnChange(func(ctx app.Context, _ app.Event) { c.Choose(t.gallery, text(ctx)) }))
	}
	return app.Div().Class("tools").Role("group").Aria("label", texts.T("Before and after")).Body(body...)
}

// mask has the tools of a mask or a map.
func (t *viewBar) mask(e state.Editing, m *state.Mask) app.UI {
	brush, eraser, whole := texts.Text("Brush"), texts.Text("Eraser"), e.What != state.EditMap
	if !whole {
		brush, eraser = "White", "Black"
	}
	list := t.tools(m,
		tool{label: brush, title: "E: the other one", do: func() { m.Erase = false }, toggles: true, on: !m.Erase},
		tool{label: eraser, title: "E: the other one", do: func() { m.Erase = true }, toggles: true, on: m.Erase},
		tool{label: "Undo", title: "Ctrl+Z", do: m.Undo, off: !m.CanUndo()},
		tool{label: "Redo", title: "Ctrl+Shift+Z", do: m.Redo, off: !m.CanRedo()},
		tool{label: "All", title: "Paint all of it", do: m.All, hidden: !whole},
		tool{label: "Invert", title: "Swap what is painted and what is not", do: m.Invert},
		tool{label: "Clear", title: "Take away all that is painted", do: m.Clear, off: !m.CanClear()},
	)
	return t.editing(e, slices.Insert(list, 2,
		t.slide(m, false, ranged{label: "Size", name: "Brush size", value: 100 * m.Width(), least: 100 * state.MinBrush, most: 100 * state.MaxBrush, step: 1}, func(v float64) { m.Brush = v / 100 }),
		t.softEdge(m, e.What != state.EditStart || !t.composer.Settings.MaskOverlay),
	))
}

// softEdge is how far what is painted fades out into what is kept.
func (t *viewBar) softEdge(of any, hidden bool) app.UI {
	s := &t.composer.Settings
	return t.slide(of, hidden, ranged{label: "Soft edge", name: "Soft edge of the mask", value: float64(s.MaskFeather), most: 64, step: 1}, func(v float64) { s.MaskFeather = int(v) })
}

// crop has the sliders of a crop.
func (t *viewBar) crop(e state.Editing, crop *state.Crop) app.UI {
	return t.editing(e, append([]app.UI{
		t.slide(crop, false, ranged{label: "Left to right", name: "Crop left to right", value: crop.X, most: 1, step: 0.01}, func(v float64) { crop.X = v }),
		t.slide(crop, false, ranged{label: "Top to bottom", name: "Crop top to bottom", value: crop.Y, most: 1, step: 0.01}, func(v float64) { crop.Y = v }),
		t.slide(crop, false, ranged{label: "Zoom", name: "Crop zoom", value: crop.Zoom, least: 1, most: state.MaxZoom, step: 0.05}, crop.ZoomTo),
	}, t.tools(crop, tool{label: "Reset", title: "0", do: func() { crop.Key("0") }})...))
}

// editing says what is edited, and has its tools and the button that ends it.
func (t *viewBar) editing(e state.Editing, tools []app.UI) app.UI {
	return app.Div().Class("editing").Role("group").Aria("label", e.Title()).Body(
		app.Div().Class("editing-head").Body(
			app.P().Class("quiet").Text(e.Hint()),
			app.Button().Class("plain small accent").Text(texts.T("Done")).Title(texts.T("Esc")).OnClick(func(app.Context, app.Event) { t.viewer.done() }),
		),
		app.Div().Class("tools").Body(tools...),
	)
}
