//go:build js && wasm

package ui

import (
	"unicode/utf16"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// recall brings earlier prompts back with the arrow keys: up from the very beginning, down from the very end.
func (w *wordsPanel) recall(ctx app.Context, e app.Event) {
	src, s := ctx.JSSrc(), &w.composer.Settings
	at := src.Get("selectionStart").Int()
	if at != src.Get("selectionEnd").Int() {
		return
	}
	var prompt string
	ok := false
	switch e.Get("key").String() {
	case "ArrowUp":
		if at == 0 {
			prompt, ok = w.history.Earlier(s.Prompt)
		}
	case "ArrowDown":
		if at == len(utf16.Encode([]rune(text(ctx)))) {
			prompt, ok = w.history.Later(s.Prompt)
		}
	}
	if !ok {
		return
	}
	s.Prompt = prompt
	src.Set("value", prompt)
	end := 0 // where the next press goes on from
	if e.Get("key").String() == "ArrowDown" {
		end = len(utf16.Encode([]rune(prompt)))
	}
	src.Call("setSelectionRange", end, end)
	w.countTokens()
}
