//go:build js && wasm

package ui

import (
	"cmp"
	"fmt"
	"strings"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/loader"
)

// structurePanel takes maps that the result follows: edges, a pose, depth. It is closed until it is wanted.
type structurePanel struct {
	app.Compo
	Drawn    int
	composer *state.Composer
	library  *state.Library
	controls *controls
	take     func(files js.Value)
	opened   func() // the visitor opened it
}

func (t *structurePanel) Render() app.UI {
	maps := t.composer.Structures
	about := "none"
	var names []string
	var cards []app.UI
	for i, s := range maps {
		names = append(names, s.Name)
		cards = append(cards, t.card(i, s))
	}
	if len(names) > 0 {
		about = strings.Join(names, ", ")
	}
	return app.Details().ID("structure").Body(
		app.Summary().Body(app.Span().Text("Structure"), app.Span().Class("quiet").Text(about)),
		app.Div().Class("cards").Hidden(len(cards) == 0).Body(cards...),
		app.Div().Class("offer").Hidden(len(maps) >= state.MaxStructures).Body(
			app.P().Class("quiet").Hidden(len(maps) > 0).Text("The result follows a map: edges, a sketch, a pose or depth, drawn as the network knows it."),
			fileInput("Add map", false, "", t.take),
		),
		alert(t.composer.Problems[state.AtStructure]),
	).On("toggle", func(ctx app.Context, _ app.Event) {
		if ctx.JSSrc().Get("open").Bool() {
			t.opened()
		}
	})
}

// structureID is the id of one of a map's controls.
func structureID(index int, name string) string { return fmt.Sprintf("structure-%d-%s", index, name) }

func (t *structurePanel) card(index int, s *state.Structure) app.UI {
	list := t.library.Networks()
	n, ok := s.NetworkOf(list)
	scale := structureID(index, "scale")
	return app.Div().Class("card").Body(
		app.Img().Src(s.URL).Alt("Map "+s.Name).Class("crop"),
		app.Div().Class("card-controls").Body(
			app.Div().Class("field").Body(
				app.Label().For(scale).Title("controlnet_conditioning_scale, λ").Body(app.Text("Weight"), app.Span().Class("numbers").Text(trim(s.Scale))),
				app.Input().ID(t.controls.bind(scale, trim(s.Scale))).Type("range").Min("0").Max("2").Step(0.05).Aria("label", "Weight of the map").
					OnInput(func(ctx app.Context, _ app.Event) { s.Scale = number(ctx, s.Scale) }, key(s)),
			),
			t.network(index, s, list, n),
		),
		app.Button().Class("remove").Aria("label", "Remove map "+s.Name).Title("Remove").Body(icon("close")).
			OnClick(func(app.Context, app.Event) { t.composer.RemoveStructure(s) }, key(s)),
		app.Div().Class("card-more").Body(
			t.need(n, ok),
			app.Details().Class("more").Body(
				app.Summary().Text("When, and balance"),
				app.Div().Class("grid").Body(
					t.controls.percent(structureID(index, "start"), "From step, %", s.Start, s.SetStart, key(s)),
					t.controls.percent(structureID(index, "end"), "To step, %", s.End, s.SetEnd, key(s)),
					t.balance(index, s, n),
				),
			),
		),
	)
}

// network chooses what reads the map.
func (t *structurePanel) network(index int, s *state.Structure, list []state.Network, chosen state.Network) app.UI {
	var options []app.UI
	for _, n := range list {
		name := n.Name
		if !n.Here {
			name += " (" + loader.FormatBytes(n.Bytes) + " to download)"
		}
		options = append(options, option(cmp.Or(n.ID, ships), name))
	}
	return app.Select().ID(t.controls.bind(structureID(index, "network"), cmp.Or(chosen.ID, ships))).Aria("label", "What the map shows").
		Title("What the map shows: the ControlNet or T2I-Adapter that reads it").Hidden(len(list) == 0).Body(options...).
		OnChange(func(ctx app.Context, _ app.Event) { s.Network = strings.TrimPrefix(text(ctx), ships) }, key(s))
}

// need offers the network where it is not here.
func (t *structurePanel) need(n state.Network, ok bool) app.UI {
	switch {
	case !ok:
		return app.P().Class("quiet").Text("Nothing that reads maps is known for this model. A ControlNet for Stable Diffusion 1.5 can be added under Models, from a file or a link.")
	case n.Here:
		return app.Div().Hidden(true)
	}
	row := t.library.Need(n)
	panel := &modelsPanel{library: t.library}
	body := []app.UI{app.P().Class("quiet").Text(fmt.Sprintf("%s needs %s, once.", n.Name, loader.FormatBytes(n.Bytes)))}
	if row.Task != nil {
		body = append(body, taskLine(*row.Task))
	}
	body = append(body, problemText(row.Problem))
	if row.Plan != nil {
		body = append(body, panel.plan(*row.Plan))
	}
	body = append(body, app.Div().Class("tools").Body(panel.buttons(row.Buttons)...))
	return app.Div().Class("need").Body(body...)
}

// balance chooses what is more important, for a ControlNet.
func (t *structurePanel) balance(index int, s *state.Structure, n state.Network) app.UI {
	id := t.controls.bind(structureID(index, "balance"), s.Balance)
	return app.Div().Class("field wide").Title("control_mode").Hidden(n.Kind == loader.KindT2IAdapter).Body(
		app.Label().For(id).Text("More important"),
		app.Select().ID(id).Body(
			option(settings.BalanceEven, "Both alike"), option(settings.BalancePrompt, "The words"), option(settings.BalanceControl, "The map"),
			option(settings.BalanceGuess, "The map alone: guess mode"),
		).OnChange(func(ctx app.Context, _ app.Event) { s.Balance = text(ctx) }, key(s)),
	)
}
