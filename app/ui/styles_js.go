//go:build js && wasm

package ui

import (
	"fmt"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// stylesPanel has a card for each LoRA that is used, and the ways to add one.
type stylesPanel struct {
	app.Compo
	Drawn       int
	composer    *state.Composer
	library     *state.Library
	controls    *controls
	countTokens func()
	openModels  func()
}

func (t *stylesPanel) Render() app.UI {
	used := t.composer.Settings.LoRAs
	var cards []app.UI
	var names []string
	for i, l := range used {
		found, here := t.library.FindLoRA(l)
		cards = append(cards, t.card(i, l, found, here))
		names = append(names, l.Name())
	}
	c := &t.composer.Settings
	embeddings := t.library.Embeddings()
	for _, e := range state.UsedEmbeddings(embeddings, c.PromptWeights, c.Prompt, c.NegativePrompt) {
		names = append(names, e.Name)
	}
	about := texts.T("none")
	if len(names) > 0 {
		about = state.Shortened(strings.Join(names, ", "))
	}
	return app.Details().ID("styles").Body(
		app.Summary().Title(texts.T("LoRAs and textual inversions")).Body(app.Span().Text(texts.T("Styles")), app.Span().Class("quiet").Text(about)),
		app.Div().Class("cards").Hidden(len(cards) == 0).Body(cards...),
		t.offer(),
		t.embeddings(embeddings),
	)
}

// embeddings are listed with where each of them is used, and ways to use it.
func (t *stylesPanel) embeddings(list []state.Embedding) app.UI {
	var rows []app.UI
	for _, e := range list {
		rows = append(rows, t.embedding(e))
	}
	return app.Section().Class("embeddings").Aria("label", texts.T("Embeddings")).Hidden(len(list) == 0).Body(
		app.P().Class("quiet").Text(texts.T("An embedding (textual inversion) works like a word: write its name in a prompt to use it.")),
		app.Div().Class("cards").Body(rows...),
	)
}

func (t *stylesPanel) embedding(e state.Embedding) app.UI {
	s := &t.composer.Settings
	use := func(where string, text *string) app.UI {
		used := len(state.UsedEmbeddings([]state.Embedding{e}, s.PromptWeights, *text)) > 0
		return app.Button().Class("plain small").Text(where).Aria("label", texts.F("%s in the %s", e.Name, strings.ToLower(where))).Aria("pressed", fmt.Sprint(used)).
			Title(texts.T("Adds its name there, or removes it")).OnClick(func(app.Context, app.Event) {
			*text = e.Toggle(*text, s.PromptWeights)
			t.controls.force = true
			t.countTokens()
		}, named(e.ID+where))
	}
	return app.Div().Class("embedding").Body(
		app.Span().Class("embedding-name").Text(e.Name).Title(e.About()),
		use(promptLabel, &s.Prompt),
		use(negativeLabel, &s.NegativePrompt),
	)
}

// card has a LoRA's weight, and the words that call it.
func (t *stylesPanel) card(i int, l settings.LoRA, found state.LoRA, here bool) app.UI {
	name, problem := found.Name, ""
	if !here {
		name, problem = l.Name(), texts.T("It is not here, or does not fit the model: add its file in Models, or remove it.")
	}
	about := ""
	if found.Title != name {
		about = found.Title
	}
	if len(found.Triggers) > 0 {
		about = strings.TrimSpace(about + " " + texts.T("Words that call it:"))
	}
	scope := named(fmt.Sprint(i, " ", l.Weights))
	var words []app.UI
	for _, trigger := range found.Triggers {
		words = append(words, app.Button().Class("plain small").Title(texts.T("Add these words to the prompt")).Text(trigger).OnClick(func(app.Context, app.Event) {
			t.composer.Say(trigger)
			t.countTokens()
		}, named(fmt.Sprint(i, " ", trigger))))
	}
	return app.Div().Class("style").Body(
		t.controls.slider(slider{id: fmt.Sprintf("style-%d-scale", i), label: texts.Text(name), file: true, name: texts.F("Weight of %s", name), value: l.Scale, least: -1, most: 2},
			func(v float64) { t.composer.Settings.LoRAs[i].Scale = v }, scope),
		app.Button().Class("remove").Aria("label", texts.F("Remove %s", name)).Title(texts.T("Remove")).Body(icon("close")).
			OnClick(func(app.Context, app.Event) { t.composer.RemoveLoRA(i) }, scope),
		app.Div().Class("style-words").Hidden(about == "").Body(
			app.Span().Class("quiet").Text(about),
			app.Div().Class("pair").Body(words...),
		),
		alert(problem),
	)
}

// fast is the preset for few steps, and says what it saves.
func (t *stylesPanel) fast() app.UI {
	f := t.library.Fast()
	if f.LoRA == "" {
		return app.P().Class("quiet").Hidden(!f.Fits).Text(texts.T("LCM-LoRA, in Models, draws pictures in 4 to 8 steps instead of 25 or more."))
	}
	label := texts.T("Fast")
	if times := t.composer.Saves(f); times >= 1.5 {
		label = texts.F("Fast: %s times fewer steps", texts.Number(times, 0))
	}
	return app.Button().ID("fast").Class("plain small").Title(texts.F("LCM-LoRA with the LCM scheduler, %d steps and a guidance of %s", f.Steps, trim(f.Guidance))).Text(label).
		OnClick(func(app.Context, app.Event) {
			t.composer.GoFast(f)
			t.controls.force = true
		})
}

// offer adds a LoRA.
func (t *stylesPanel) offer() app.UI {
	options := []app.UI{option("", texts.T("Add a style …"))}
	for _, l := range t.library.LoRAs() {
		options = append(options, option(l.ID, l.Name))
	}
	return app.Div().Class("offer").Body(
		app.P().Class("quiet").Hidden(len(options) > 1).Text(texts.T("A style (LoRA) changes the model: how it draws, what it knows, or how many steps it needs. None for this model is here yet.")),
		app.Select().ID(t.controls.bindChoice("style-add", "")).Aria("label", texts.T("Add a style")).Hidden(len(options) == 1).Body(options...).OnChange(func(ctx app.Context, _ app.Event) {
			if id := chosenIn(ctx); id != "" {
				t.composer.AddLoRA(id)
			}
			t.controls.force = true
		}),
		t.fast(),
		app.Button().Class("plain small").Text(texts.T("Add one in Models")).OnClick(func(app.Context, app.Event) { t.openModels() }),
	)
}
