//go:build js && wasm

package ui

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// wordsPanel takes the prompt and the negative prompt, and says what of them does not fit.
type wordsPanel struct {
	app.Compo
	Drawn       int
	composer    *state.Composer
	controls    *controls
	countTokens func()
	history     *state.History
	library     *state.Library
	typing      *typing
}

func (w *wordsPanel) Render() app.UI {
	s, tokens := &w.composer.Settings, w.composer.Tokens
	return app.Section().Class("words-panel").Aria("label", texts.T("Words")).Body(
		w.area(promptLabel, "fox on a blue background", 3, &s.Prompt, tokens.Prompt, w.recall),
		w.area(negativeLabel, "what it should not be", 1, &s.NegativePrompt, tokens.Negative, func(app.Context, app.Event) {}),
		app.P().Class("quiet").Role("status").Hidden(w.language() == "").
			Text(texts.F("This looks like %s. The model was trained on English words, and others have little effect.", w.language())),
		app.Div().Class("tools").Body(
			w.earlier(),
			w.presets(),
			app.Button().Class("plain small").ID("words-reading").Aria("pressed", fmt.Sprint(s.PromptWeights)).Text(texts.T("Weights")).
				OnClick(func(app.Context, app.Event) {
					s.PromptWeights = !s.PromptWeights
					w.countTokens()
				}),
			info("weights", "Weights"),
		),
	)
}

// language is that of the words, if it is not English.
func (w *wordsPanel) language() string {
	return cmp.Or(state.Language(w.composer.Settings.Prompt), state.Language(w.composer.Settings.NegativePrompt)).String()
}

// earlier lists the prompts that pictures were asked for with. The arrow keys bring them back as well.
func (w *wordsPanel) earlier() app.UI {
	options := []app.UI{option("", texts.T("Earlier"))}
	for i, prompt := range w.history.Listed() {
		options = append(options, option(strconv.Itoa(i), state.Shortened(prompt)))
	}
	return app.Select().ID(w.controls.bindChoice("earlier", "")).Class("small").Aria("label", texts.T("Earlier prompts")).Disabled(len(options) == 1).Body(options...).
		OnChange(func(ctx app.Context, _ app.Event) {
			i, _ := strconv.Atoi(chosenIn(ctx)) // what is no number is the first option, which changes nothing
			if prompt, ok := w.history.Choose(i, w.composer.Settings.Prompt); ok && chosenIn(ctx) != "" {
				w.composer.Settings.Prompt = prompt
			}
			w.controls.force = true
			w.countTokens()
		})
}

// presets adds to the negative prompt what many have.
func (w *wordsPanel) presets() app.UI {
	options := []app.UI{option("", texts.T("Avoid …"))}
	for _, p := range state.NegativePresets {
		options = append(options, option(string(p.Name), p.Name.String()).Title(p.Words))
	}
	return app.Select().ID(w.controls.bindChoice("presets", "")).Class("small").Aria("label", texts.T("Add to the negative prompt")).Body(options...).
		OnChange(func(ctx app.Context, _ app.Event) {
			for _, p := range state.NegativePresets {
				if string(p.Name) == chosenIn(ctx) {
					w.composer.Settings.NegativePrompt = p.Add(w.composer.Settings.NegativePrompt)
				}
			}
			w.controls.force = true
			w.countTokens()
		})
}

// marks shows, behind what is typed, which words weigh more or less, and which are names. It has the same text in the
// same places, but the text cannot be seen.
func (w *wordsPanel) marks(label, value string) app.UI {
	var list []app.UI
	for _, m := range w.library.Mark(value, w.composer.Settings.PromptWeights) {
		if m.Class == "" {
			list = append(list, app.Text(m.Text))
		} else {
			list = append(list, app.Span().Class(m.Class).Text(m.Text))
		}
	}
	return app.Div().ID("marks-"+label).Class("marks").Dir("auto").Aria("hidden", "true").Body(list...)
}

// suggestions lists the names that complete what is being typed.
func (w *wordsPanel) suggestions(label string) app.UI {
	c := w.typing.completion
	open := c.Open(label)
	var list []app.UI
	if open {
		for i, s := range c.List {
			list = append(list, app.Div().ID(suggestionID(label, i)).Class("suggestion").Role("option").Aria("selected", fmt.Sprint(i == c.Selected)).
				Body(app.Span().Text(s.Name), app.Span().Class("quiet").Text(s.About)).
				OnClick(func(app.Context, app.Event) { w.typing.pick(i) }, named(fmt.Sprint(label, i))))
		}
	}
	return app.Div().ID(suggestionID(label, -1)).Class("suggestions").Role("listbox").Aria("label", texts.T("Names that fit")).Hidden(!open).Body(list...)
}

func (w *wordsPanel) area(label string, hint texts.Text, rows int, value *string, tokens protocol.Count, keyDown app.EventHandler) app.UI {
	count, cut := "", ""
	if tokens.Limit > 0 {
		count = texts.F("%d of %d tokens", tokens.Tokens, tokens.Limit)
	}
	if tokens.Overflow != "" {
		cut = texts.F("Too long for the model, left out: %s", state.Shortened(tokens.Overflow))
	}
	if len(*value) == settings.MaxWords { // the browser takes no more
		cut = texts.F("The words are cut off after %d characters.", settings.MaxWords) + " " + cut
	}
	if len(*value) > settings.MaxWords {
		count, cut = "", texts.F("This is longer than %d kB: shorten it.", settings.MaxWords>>10)
	}
	id, selected, name := w.controls.bind(wordsID(label), *value), "", texts.Text(label)
	if c := w.typing.completion; c.Open(label) && c.Selected >= 0 {
		selected = suggestionID(label, c.Selected)
	}
	return app.Div().Class("field").Body(
		app.Div().Class("label").Body(app.Label().For(id).Text(name.String()), info(strings.ReplaceAll(id, " ", "-"), name),
			app.Span().Class("numbers quiet").Aria("hidden", "true").Text(count)),
		app.Div().Class("words").Body(
			w.marks(label, *value),
			app.Textarea().ID(id).Dir("auto").Rows(rows).MaxLength(settings.MaxWords).Placeholder(hint.String()).Aria("label", name.String()).
				Aria("autocomplete", "list").Aria("haspopup", "listbox").Aria("controls", suggestionID(label, -1)).Aria("activedescendant", selected).
				OnKeyDown(keyDown).
				OnInput(func(ctx app.Context, _ app.Event) {
					*value = text(ctx)
					w.typing.typed(label)
					w.countTokens()
				}).
				OnBlur(func(app.Context, app.Event) { w.typing.completion.Close() }).
				On("scroll", func(ctx app.Context, _ app.Event) {
					byID("marks-"+label).Set("scrollTop", ctx.JSSrc().Get("scrollTop"))
				}, named(label)),
			w.suggestions(label),
		),
		alert(cut),
	)
}
