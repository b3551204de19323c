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
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/app/ui/blobs"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/imageproc/maps"
)

// structurePanel takes pictures that the result follows: as maps, such as edges, a pose or depth, or as they are. It is closed
// until it is wanted.
type structurePanel struct {
	app.Compo
	Drawn    int
	composer *state.Composer
	library  *state.Library
	controls *controls
	canvases *canvases
	camera   *camera
	take     func(files js.Value)
	opened   func() // the visitor opened it
	intake   *intake
	mend     func(state.Remedy)
}

func (t *structurePanel) Render() app.UI {
	structures := t.composer.Structures
	about := texts.T("none")
	var names []string
	var cards []app.UI
	for i, s := range structures {
		names = append(names, s.Name)
		cards = append(cards, t.card(i, s))
	}
	if len(names) > 0 {
		about = strings.Join(names, ", ")
	}
	return app.Details().ID("structure").Body(
		app.Summary().Body(app.Span().Text(texts.T("Structure")), app.Span().Class("quiet").Text(about)),
		app.Div().Class("cards").Hidden(len(cards) == 0).Body(cards...),
		app.Div().Class("offer").Hidden(len(structures) >= state.MaxStructures).Body(
			app.P().Class("quiet").Hidden(len(structures) > 0).Text(texts.T("The result follows a map, such as edges, a sketch, a pose or depth, or the look of a picture. The map is made from a picture, or the picture is used as it is.")),
			fileInput(state.AddStructure, "Add map", pictureFiles, false, "", t.take),
			t.cameraPart(),
		),
		trouble(t.composer.Problems[state.AtStructure], func(r state.Remedy) {
			if r.Mend == state.RemoveLast {
				t.composer.RemoveStructure(structures[len(structures)-1])
				return
			}
			t.mend(r)
		}),
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
	lead := t.composer.Lead(s)
	return app.Div().Class("card").Body(
		app.Canvas().ID(mapPreviewID(index)).Class("map").Role("img").Aria("label", shownAs(n)+" "+s.Name).Title(madeBy(s)).Aria("busy", fmt.Sprint(t.composer.Making(s))),
		app.Div().Class("card-controls").Body(
			t.strength(index, lead, n),
			t.network(index, s, list, n),
			t.preprocessor(index, s, list, n),
		),
		app.Button().Class("remove").Aria("label", texts.F("Remove map %s", s.Name)).Title(texts.T("Remove")).Body(icon("close")).
			OnClick(func(app.Context, app.Event) { t.composer.RemoveStructure(s) }, key(s)),
		app.Div().Class("card-more").Body(
			t.options(index, s, list),
			t.trouble(index, s),
			app.Div().Class("tools").Hidden(!n.ReadsMap()).Body(
				app.Button().Class("plain small").Text(texts.T("Show over the picture")).Aria("pressed", fmt.Sprint(t.composer.OverStage() == s)).
					OnClick(func(app.Context, app.Event) { t.showOver(s) }, key(s)),
				t.canvases.editButton("Paint on the map", state.Editing{What: state.EditMap, Structure: s}),
				app.Button().Class("plain small").Text(texts.T("Download the map")).Disabled(s.Map.Base == nil).
					OnClick(func(app.Context, app.Event) { download(s.MapName(), t.png(s)) }, key(s)),
			),
			t.need(n, ok),
			t.needMaker(s),
			app.Details().Class("more").Hidden(n.Kind == state.Reference || n.Part == settings.UniContent).Body(
				app.Summary().Text(texts.T("More options")),
				app.Div().Class("grid").Body(
					t.controls.percent(structureID(index, "start"), "From step, %", lead.Start, lead.SetStart, key(lead)),
					t.controls.percent(structureID(index, "end"), "To step, %", lead.End, lead.SetEnd, key(lead)),
					t.balance(index, s, n),
				),
			),
		),
	)
}

// trouble says why the map could not be made, and puts that right: also with another picture in the place of this one.
func (t *structurePanel) trouble(index int, s *state.Structure) app.UI {
	another := structureID(index, "another")
	return app.Div().Hidden(s.Problem.Text == "").Body(
		trouble(s.Problem, func(r state.Remedy) {
			switch r.Mend {
			case state.TryAgain:
				s.MakeAgain()
			case state.ChooseAnother:
				pickFile(another)
			default:
				t.mend(r)
			}
		}),
		app.Input().ID(another).Type("file").Accept(pictureFiles).Hidden(true).Aria("label", texts.T("Another picture for the map")).OnChange(func(ctx app.Context, _ app.Event) {
			t.intake.admitFirst(pickedFiles(ctx), state.AtStructure, func(p *state.Picture) {
				t.composer.Replace(s, p)
				t.canvases.paintLater()
			})
		}, key(s)),
	)
}

// shownAs says what a picture of the card is.
func shownAs(n *state.Network) string {
	if n.ReadsMap() {
		return texts.T("Map")
	}
	return texts.T("Picture")
}

// strength is how strongly the result follows a picture.
func (t *structurePanel) strength(index int, s *state.Structure, n *state.Network) app.UI {
	w, scope := slider{id: structureID(index, "scale"), label: "Weight", name: texts.T("Weight of the map"), value: s.Scale, most: 2}, key(s)
	set := &s.Scale
	switch {
	case n.Kind == state.Reference:
		w = slider{id: structureID(index, "fidelity"), label: "Style fidelity", value: s.Reference.Fidelity, most: 1}
		set, scope = &s.Reference.Fidelity, key(&s.Reference)
	case !n.ReadsMap():
		w.name = texts.T("Weight of the picture")
	}
	return t.controls.slider(w, func(v float64) { *set = v }, scope)
}

// takes chooses what is taken over from a picture that is followed without weights.
func (t *structurePanel) takes(index int, s *state.Structure) app.UI {
	const attention, adain, both = "attention", "adain", "both"
	r := &s.Reference
	chosen := both
	switch {
	case !r.AdaIN:
		chosen = attention
	case !r.Attention:
		chosen = adain
	}
	return t.controls.choice(structureID(index, "takes"), "What to take over", chosen, []app.UI{
		option(attention, texts.T("Its looks and things (attention)")), option(adain, texts.T("Its colours and contrasts (AdaIN)")), option(both, texts.T("Both")),
	}, func(v string) { r.Attention, r.AdaIN = v != adain, v != attention }, key(r))
}

// showOver shows a map over the picture on the stage, or hides it.
func (t *structurePanel) showOver(s *state.Structure) {
	t.composer.ToggleOverStage(s)
	t.canvases.stage.Done()
	t.canvases.paintLater()
}

// madeBy says how a map was made.
func madeBy(s *state.Structure) string {
	switch {
	case s.Map.Base == nil:
		return texts.T("The map has not been made yet")
	case s.MadeBy == "":
		return texts.T("The picture itself")
	}
	return texts.F("Made by %s", s.MadeBy)
}

// network chooses what reads the map.
func (t *structurePanel) network(index int, s *state.Structure, list []*state.Network, chosen *state.Network) app.UI {
	var options []app.UI
	for _, n := range list {
		name := n.Name
		if !n.Here {
			name += " (" + strings.TrimSpace(texts.F("%s to download", state.SizeOf(n.Bytes))) + ")"
		}
		options = append(options, option(n.Value(), name))
	}
	return app.Select().ID(t.controls.bindChoice(structureID(index, "network"), chosen.Value())).Aria("label", texts.T("What the result follows")).
		Title(texts.T("What the result follows: what the map shows, by the ControlNet or T2I-Adapter that reads it, or the picture itself")).Hidden(len(list) == 0).Body(options...).
		OnChange(func(ctx app.Context, _ app.Event) {
			t.composer.Choose(s, chosenIn(ctx))
			t.canvases.paintLater()
		}, key(s))
}

// preprocessor chooses how the map is made from the picture or, where the picture is followed as it is, what of it.
func (t *structurePanel) preprocessor(index int, s *state.Structure, list []*state.Network, n *state.Network) app.UI {
	switch {
	case n.Kind == state.Reference:
		return t.takes(index, s)
	case !n.ReadsMap():
		return app.Div().Hidden(true)
	}
	var options []app.UI
	for _, m := range maps.Methods {
		options = append(options, option(m.Name, texts.Translate(m.Label)))
	}
	return app.Select().ID(t.controls.bind(structureID(index, "preprocessor"), s.Parsed(list).Method.Name)).Aria("label", texts.T("How the map is made")).
		Title(texts.T("How the map is made from the picture")).Body(options...).
		OnChange(func(ctx app.Context, _ app.Event) { s.SetPreprocessor(text(ctx)) }, key(s))
}

// options are the numbers of the preprocessor.
func (t *structurePanel) options(index int, s *state.Structure, list []*state.Network) app.UI {
	p := s.Parsed(list)
	var fields []app.UI
	for i, o := range p.Method.Options {
		id := structureID(index, o.Name)
		if o.Min == 0 && o.Max == 1 && o.Step == 1 {
			fields = append(fields, app.Label().Class("check").Body(
				app.Input().Type("checkbox").Checked(p.Values[i] == 1).OnChange(func(ctx app.Context, _ app.Event) {
					on := 0.0
					if ctx.JSSrc().Get("checked").Bool() {
						on = 1
					}
					s.SetOption(list, i, on)
				}, named(fmt.Sprintf("%p %s", s, o.Name))),
				app.Span().Text(texts.Translate(o.Label)),
			))
			continue
		}
		input := app.Input().ID(t.controls.bind(id, trim(p.Values[i]))).Type("number").Class("numbers").Min(trim(o.Min)).Max(trim(o.Max)).Step(o.Step).
			OnInput(func(ctx app.Context, _ app.Event) { s.SetOption(list, i, number(ctx, o.Default)) }, named(fmt.Sprintf("%p %s", s, o.Name)))
		fields = append(fields, app.Div().Class("field").Body(app.Label().For(id).Text(texts.Translate(o.Label)), input))
	}
	return app.Div().Class("grid").Hidden(len(fields) == 0).Body(fields...)
}

// png returns a map, as the network reads it, as a PNG file.
func (t *structurePanel) png(s *state.Structure) js.Value {
	return blobs.New(maskPNG(&s.Map, t.composer.Settings.Width, t.composer.Settings.Height), "image/png")
}

// cameraPart shows what the camera sees, and takes a still from it.
func (t *structurePanel) cameraPart() app.UI {
	button := func(text string, do func()) app.HTMLButton {
		return app.Button().Class("plain small").Text(text).OnClick(func(app.Context, app.Event) { do() })
	}
	return app.Div().Class("camera").Body(
		app.If(t.camera.On, func() app.UI {
			return app.Video().ID(cameraID).AutoPlay(true).Muted(true).Aria("label", texts.T("What the camera sees"))
		}),
		app.Div().Class("tools").Body(
			button(texts.T("Camera"), t.camera.start).Hidden(t.camera.On).Disabled(t.camera.Asked),
			app.Span().Class("quiet").Hidden(!t.camera.Asked).Text(texts.T("The browser asks whether this page may use the camera.")),
			button(texts.T("Take the picture"), func() {
				t.camera.still(func(file js.Value) { t.take(js.Global().Get("Array").Call("of", file)) })
			}).Hidden(!t.camera.On),
			button(texts.T("Close the camera"), t.camera.stop).Hidden(!t.camera.On),
		),
	)
}

// need offers the network where it is not here.
func (t *structurePanel) need(n *state.Network, ok bool) app.UI {
	switch {
	case !ok:
		return app.P().Class("quiet").Text(texts.T("Nothing that reads maps is known for this model. A ControlNet for Stable Diffusion 1.5 can be added under Models, from a file or a link."))
	case n.Here && n.Lacks == "":
		return app.Div().Hidden(true)
	}
	return t.download(n)
}

// needMaker offers the network that makes the map where it is not here.
func (t *structurePanel) needMaker(s *state.Structure) app.UI {
	n, needed := t.composer.MapNetwork(s)
	if !needed || n.Here {
		return app.Div().Hidden(true)
	}
	return t.download(n)
}

// download offers a network that is not here.
func (t *structurePanel) download(n *state.Network) app.UI {
	row := t.library.Need(n)
	panel := &modelsPanel{library: t.library, mend: t.mend}
	needs := cmp.Or(state.SizeOf(n.Bytes), texts.T("a download"))
	if n.Here {
		needs = texts.F("the image encoder %s", row.Name)
	}
	body := []app.UI{app.P().Class("quiet").Text(texts.F("%s needs %s, once.", n.Name, needs))}
	if row.Task != nil {
		body = append(body, taskLine(*row.Task))
	}
	body = append(body, trouble(row.Problem, t.mend))
	if row.Plan != nil {
		body = append(body, panel.plan(*row.Plan))
	}
	body = append(body, app.Div().Class("tools").Body(panel.buttons(row.Buttons)...))
	return app.Div().Class("need").Body(body...)
}

// balance chooses what is more important, for a ControlNet.
func (t *structurePanel) balance(index int, s *state.Structure, n *state.Network) app.UI {
	return t.controls.choice(structureID(index, "balance"), "More important", s.Balance, []app.UI{
		option(settings.BalanceEven, texts.T("Both alike")), option(settings.BalancePrompt, texts.T("The words")), option(settings.BalanceControl, texts.T("The map")),
		option(settings.BalanceGuess, texts.T("The map alone: guess mode")),
	}, func(v string) { s.Balance = v }, key(s)).Class("wide").Hidden(n.Kind != loader.KindControlNet)
}
