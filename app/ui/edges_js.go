//go:build js && wasm

package ui

import (
	"fmt"
	"strings"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// The edges of the picture on the stage can be dragged outwards, with the pointer, by keys or by numbers: what is added is
// painted around the start picture.

// edgeLabels are what an edge is called, and the border there.
var edgeLabels = map[state.Edge]struct{ edge, border texts.Text }{
	state.Left:   {"Left edge", "Left"},
	state.Top:    {"Top edge", "Top"},
	state.Right:  {"Right edge", "Right"},
	state.Bottom: {"Bottom edge", "Bottom"},
}

// edgeID is the id of what an edge or a corner is dragged by.
func edgeID(e state.Edge) string { return "edge-" + strings.Join(e.Names(), "-") }

// edges are what the edges and the corners are dragged by. A corner has nothing that its two edges do not have, so the keyboard
// goes to those.
func (t *easel) edges() app.UI {
	var list []app.UI
	hidden := t.stage.Editing().What != state.EditBorders
	for _, e := range state.Edges {
		width, most := t.composer.BorderAt(e)
		along := "horizontal"
		if e == state.Top || e == state.Bottom {
			along = "vertical"
		}
		list = append(list, app.Div().ID(edgeID(e)).Class("edge "+e.Names()[0]).Role("slider").TabIndex(0).Aria("orientation", along).Aria("label", edgeLabels[e].edge.String()).
			Aria("valuemin", 0).Aria("valuemax", most).Aria("valuenow", width).Aria("valuetext", texts.N(width, "%d pixel", "%d pixels")))
	}
	for _, e := range state.Corners {
		list = append(list, app.Div().ID(edgeID(e)).Class("edge "+strings.Join(e.Names(), " ")).Aria("hidden", "true"))
	}
	return app.Div().Class("edges").Role("group").Aria("label", texts.T("Edges")).Hidden(hidden).Body(list...)
}

// edgeOf returns the edge or the corner of an element; 0 if it is none.
func edgeOf(element js.Value) state.Edge {
	id := element.Get("id").String()
	for _, list := range [][]state.Edge{state.Edges, state.Corners} {
		for _, e := range list {
			if id == edgeID(e) {
				return e
			}
		}
	}
	return 0
}

// pull drags an edge or a corner with the pointer. Meanwhile the picture stays where it is.
func (v *viewer) pull(e js.Value, edge state.Edge) {
	x, y := where(e)
	was := v.composer.Settings.Outpaint
	v.stage.View.Hold(v.added())
	v.composer.BeginBorders()
	v.hold(e, e.Get("target"), func(e js.Value) {
		nx, ny := where(e)
		scale := v.stage.View.Scale()
		if v.composer.Pull(edge, was, (nx-x)/scale, (ny-y)/scale) {
			v.loop.dispatch(v.canvases.paintLater)
		}
	})
}

// added is how much is painted to the left of the start picture and above it.
func (v *viewer) added() [2]float64 {
	b := v.composer.Settings.Outpaint
	return [2]float64{float64(b.Left), float64(b.Top)}
}

// borders are the tools of the edges.
func (t *viewBar) borders(e state.Editing) app.UI {
	c := t.composer
	s := &c.Settings
	list := []app.UI{app.Span().Class("numbers quiet").Text(fmt.Sprintf("%d × %d", s.Width, s.Height))}
	for _, edge := range state.Edges {
		width, most := c.BorderAt(edge)
		list = append(list, app.Label().Class("inline").Body(app.Span().Text(edgeLabels[edge].border.String()),
			app.Input().ID(t.controls.bind("stage-"+edgeID(edge), fmt.Sprint(width))).Type("number").Class("numbers narrow").Min("0").Max(fmt.Sprint(most)).Step(state.BorderStep).
				OnChange(func(ctx app.Context, _ app.Event) {
					now, _ := c.BorderAt(edge)
					c.SetBorder(edge, int(min(max(number(ctx, float64(now)), 0), state.MaxEdge)))
					t.controls.force = true // what was typed may have been too much
				}, named(edgeID(edge)))))
	}
	list = append(list, t.tools(c,
		tool{label: "Undo", title: "Ctrl+Z", do: c.UndoBorders, off: !c.CanUndoBorders()},
		tool{label: "No borders", title: "Paint nothing around the picture", do: c.ClearBorders, off: !c.Extended()},
	)...)
	return t.editing(e, append(list, t.softEdge(c, !s.MaskOverlay)))
}
