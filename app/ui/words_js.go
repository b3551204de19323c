//go:build js && wasm

package ui

import (
	"fmt"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/state"
)

// wordsPanel takes the prompt and the negative prompt, and says what of them does not fit.
type wordsPanel struct {
	app.Compo
	Drawn       int
	composer    *state.Composer
	controls    *controls
	countTokens func()
}

func (w *wordsPanel) Render() app.UI {
	s, tokens := &w.composer.Settings, w.composer.Tokens
	return app.Section().Aria("label", "Words").Body(
		w.area("Prompt", "fox on a blue background", 3, &s.Prompt, tokens.Prompt),
		w.area("Negative prompt", "what it should not be", 1, &s.NegativePrompt, tokens.Negative),
	)
}

func (w *wordsPanel) area(label, hint string, rows int, value *string, tokens protocol.Count) app.UI {
	count, cut := "", ""
	if tokens.Limit > 0 {
		count = fmt.Sprintf("%d of %d tokens", tokens.Tokens, tokens.Limit)
	}
	if tokens.Overflow != "" {
		cut = "Too long for the model, left out: " + state.Shortened(tokens.Overflow)
	}
	if len(*value) == settings.MaxWords { // the browser takes no more
		cut = fmt.Sprintf("The words are cut off after %d characters. ", settings.MaxWords) + cut
	}
	if len(*value) > settings.MaxWords {
		count, cut = "", fmt.Sprintf("This is longer than %d kB: shorten it.", settings.MaxWords>>10)
	}
	id := w.controls.bind("words-"+label, *value)
	return app.Div().Class("field").Body(
		app.Label().For(id).Body(app.Text(label), app.Span().Class("numbers quiet").Aria("hidden", "true").Text(count)),
		app.Textarea().ID(id).Rows(rows).MaxLength(settings.MaxWords).Placeholder(hint).Aria("label", label).OnInput(func(ctx app.Context, _ app.Event) {
			*value = text(ctx)
			w.countTokens()
		}),
		alert(cut),
	)
}
