//go:build js && wasm

package ui

import (
	"context"
	"encoding/json"
	"fmt"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/gpu/webapi"
)

// languageCodes are the languages in the order in which they are offered, which web/js/language.js names.
var languageCodes = []string{"en", "de", "es", "ja", "zh"}

// useLanguage speaks the language whose texts web/js/language.js has fetched.
func useLanguage() {
	loaded := js.Global().Get("impromptLanguage")
	if !loaded.Truthy() {
		return
	}
	l := texts.Language{Code: loaded.Get("code").String()}
	if text := loaded.Get("texts").String(); text != "" {
		if err := json.Unmarshal([]byte(text), &l.Texts); err != nil {
			fmt.Printf("the page is in English: %v\n", err)
			return
		}
	}
	locale, intl := loaded.Get("locale"), js.Global().Get("Intl")
	formats := map[int]js.Value{}
	l.Number = func(v float64, decimals int) string {
		f, ok := formats[decimals]
		if !ok {
			f = intl.Get("NumberFormat").New(locale, map[string]any{"minimumFractionDigits": decimals, "maximumFractionDigits": decimals})
			formats[decimals] = f
		}
		return f.Call("format", v).String()
	}
	plural := intl.Get("PluralRules").New(locale)
	l.Plural = func(n int) string { return plural.Call("select", n).String() }
	texts.Use(l)
}

// listenLanguage follows the visitor's choice of a language, and draws everything anew.
func (p *page) listenLanguage() {
	on("imprompt-language", func(js.Value) {
		p.loop.dispatch(func() {
			useLanguage()
			p.gallery.Retell()
			p.note = state.Note{} // it is in the language before
		})
	})
}

// speak has the page speak a language, from now on and at the next visit.
func (p *page) speak(code string) {
	spoken := js.Global().Call("impromptSpeak", code)
	p.loop.beside(func() (then func()) {
		_, err := webapi.Await(context.Background(), spoken)
		return func() {
			if err != nil {
				byID("language").Set("value", texts.Code())
				p.note = state.Note{Text: texts.F("The language could not be loaded (%s): choose it again when there is a network.", err)}
			}
		}
	})
}

// languageChoice is an icon with the list of languages behind it, each by its own name.
type languageChoice struct {
	app.Compo
	Language string // which the page speaks
	speak    func(code string)
}

func (t *languageChoice) Render() app.UI {
	names := js.Global().Get("impromptLanguage").Get("names")
	var options []app.UI
	for _, code := range languageCodes {
		options = append(options, app.Option().Value(code).Lang(code).Text(names.Get(code).String()).Selected(code == t.Language))
	}
	name := texts.T("Language")
	if name != "Language" {
		name += " (Language)" // for those who cannot read this one
	}
	return app.Label().Class("bare square language").Title(name).Body(icon("language"),
		app.Select().ID("language").Aria("label", name).Body(options...).
			OnChange(func(ctx app.Context, _ app.Event) { t.speak(text(ctx)) }))
}
