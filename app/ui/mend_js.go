//go:build js && wasm

package ui

import (
	"fmt"
	"syscall/js"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/texts"
)

// mender does what the buttons beside a problem say.
type mender struct{ page *page }

func (m *mender) do(r state.Remedy) {
	p := m.page
	switch r.Mend {
	case state.ChooseAnother:
		pickFile(r.Of)
	case state.ChooseFile:
		p.librarian.show(true)
		p.loop.drawn(func() { pickFile(importID) })
	case state.TryAgain, state.AllowFile:
		p.generate()
	case state.OpenPanel:
		p.open(r.Of)
	case state.DrawSmaller:
		s := &p.composer.Settings
		if !p.composer.Shrink() {
			p.note = state.Note{Text: texts.T("The picture cannot be made smaller: close other programs that use the graphics card, or choose a smaller model.")}
			return
		}
		p.generate()
		p.note = state.Note{Text: texts.F("The size is %d × %d pixels from now on.", s.Width, s.Height)}
	case state.StartEngine:
		p.restart()
	case state.Reload:
		js.Global().Get("location").Call("reload")
	case state.MakeRoom:
		p.librarian.show(true)
		p.intake.reveal(storedID)
	case state.GetAgain:
		if !p.library.GetAgain(r.Of) {
			p.librarian.show(true)
		}
	case state.DeleteStored:
		p.library.Do(state.Delete, r.Of)
	}
}

// pickFile opens the file picker of a file input.
func pickFile(id string) {
	if input := byID(id); input.Truthy() {
		input.Call("click")
	}
}

// trouble is a place for what went wrong, with the buttons that put it right.
func trouble(p state.Problem, mend func(state.Remedy)) app.UI {
	var buttons []app.UI
	for _, r := range p.Remedies {
		buttons = append(buttons, app.Button().Class("plain small").Text(r.Label()).OnClick(func(app.Context, app.Event) { mend(r) }, named(fmt.Sprint(r))))
	}
	if p.Fine {
		return app.P().Class("quiet").Role("status").Text(p.Text)
	}
	return app.Div().Class("trouble").Body(alert(p.Text), app.Div().Class("tools").Hidden(len(buttons) == 0).Body(buttons...))
}
