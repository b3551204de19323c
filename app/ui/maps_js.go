//go:build js && wasm

package ui

import "github.com/imprompt/imprompt/app/state"

// makeMaps has the maps of the Structure card made that are not up to date. The engine's worker makes them, so that the
// page does not stand still, and this is called again when one is there.
func (p *page) makeMaps() {
	r, ok := p.composer.NextMap()
	switch {
	case !ok:
	case r.Preprocessor == "":
		p.takeMap(state.Made{PNG: r.Structure.Bytes})
	case !p.jobs.MakeMap(r):
		p.composer.LoseMap()
	}
}

// takeMap takes a map that was made.
func (p *page) takeMap(m state.Made) {
	if m.Problem.Text != "" {
		p.composer.TakeMap(nil, m.Problem)
		return
	}
	p.loop.beside(func() func() {
		bitmap, err := browser{}.Bitmap(m.PNG)
		return func() {
			if err != nil {
				p.composer.TakeMap(nil, state.Unreadable(state.AtStructure, err.Error()))
				return
			}
			p.composer.TakeMap(&state.Base{Bitmap: bitmap, PNG: m.PNG}, state.Problem{})
			p.canvases.paintLater()
		}
	})
}
