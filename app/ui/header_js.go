//go:build js && wasm

package ui

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// header is the bar above the page: what it is called, a new version, the GPU, and the theme.
type header struct {
	app.Compo
	Drawn      int
	Update     bool // a new version of the site is ready
	CanInstall bool // the browser offers to install the page
	jobs       *state.Jobs
	library    *state.Library
	librarian  *librarian
	program    *program
	checker    *checker
	speak      func(code string)
	theme      string // "light", "dark", or "" for the system's choice
	updating   bool   // the visitor took the offer of a new version
}

// themes are, for each theme, its icon, its name, and the theme after it.
var themes = map[string]struct {
	icon string
	name texts.Text
	next string
}{
	"":      {"system", "as the system", "light"},
	"light": {"light", "light", "dark"},
	"dark":  {"dark", "dark", ""},
}

// OnMount takes up the theme of an earlier visit.
func (t *header) OnMount(ctx app.Context) {
	ctx.LocalStorage().Get("theme", &t.theme)
	t.applyTheme()
}

func (t *header) Render() app.UI {
	theme := themes[t.theme]
	return app.Header().Class("bar").Body(
		app.H1().Text("Imprompt"),
		app.P().Class("quiet motto").Text(texts.T("Pictures from a picture and a few words, on your own graphics card")),
		t.offerUpdate(),
		t.download(),
		app.Button().Class("plain small").Text(texts.T("Install")).Title(texts.T("Opens in a window of its own, and with pictures from your files")).Hidden(!t.CanInstall).
			OnClick(func(app.Context, app.Event) { t.program.ask() }),
		&shortcutsPanel{Language: texts.Code()},
		&aboutPanel{Drawn: t.Drawn, jobs: t.jobs, checker: t.checker},
		&languageChoice{Language: texts.Code(), speak: t.speak},
		app.Button().Class("bare square").Aria("label", texts.F("Theme: %s", theme.name)).Title(texts.T("Light, dark, or as the system")).Body(icon(theme.icon)).
			OnClick(func(ctx app.Context, _ app.Event) {
				t.theme = theme.next
				ctx.LocalStorage().Set("theme", t.theme)
				t.applyTheme()
			}, named(t.theme)),
	)
}

// offerUpdate offers a new version of the page. A browser ends the old service worker first, which
// takes up to half a minute if a page asked it for a file just then.
func (t *header) offerUpdate() app.UI {
	text := texts.T("A new version is ready: use it")
	if t.updating {
		text = texts.T("Changing to the new version…")
	}
	return app.Button().Class("plain small accent").Text(text).Hidden(!t.Update).Disabled(t.updating || t.jobs.Busy()).
		Title(texts.T("Loads the page anew; the gallery stays")).OnClick(func(app.Context, app.Event) {
		t.updating = true
		app.Window().Call("impromptUpdate")
	})
}

// download says how far the downloads are, also while the drawer with the models is closed.
func (t *header) download() app.UI {
	text, fraction := t.library.Underway()
	return app.Button().Class("plain small chip").Hidden(text == "" || t.library.Open).Title(texts.T("Show the models")).Body(
		app.Span().Class("numbers").Text(text),
		app.Progress().Aria("label", texts.T("Download")).Max(1).Value(fraction),
	).OnClick(func(app.Context, app.Event) { t.librarian.show(true) })
}

func (t *header) applyTheme() {
	root := app.Window().Get("document").Get("documentElement")
	if t.theme == "" {
		root.Call("removeAttribute", "data-theme")
		return
	}
	root.Call("setAttribute", "data-theme", t.theme)
}
