//go:build js && wasm

package ui

import "github.com/maxence-charriere/go-app/v10/pkg/app"

// recall brings earlier prompts back with the arrow keys: up from the very beginning, down from the very end.
func (w *wordsPanel) recall(ctx app.Context, e app.Event) {
	area, s := ctx.JSSrc(), &w.composer.Settings
	at, end := area.Get("selectionStart").Int(), area.Get("selectionEnd").Int()
	if at != end {
		return
	}
	up := e.Get("key").String() == "ArrowUp"
	var prompt string
	var ok bool
	switch {
	case up && at == 0:
		prompt, ok = w.history.Earlier(s.Prompt)
	case e.Get("key").String() == "ArrowDown" && at == area.Get("textLength").Int():
		prompt, ok = w.history.Later(s.Prompt)
	}
	if !ok {
		return
	}
	s.Prompt = prompt
	area.Set("value", prompt)
	at = 0 // where the next press goes on from
	if !up {
		at = area.Get("textLength").Int()
	}
	area.Call("setSelectionRange", at, at)
	w.countTokens()
}
