//go:build js && wasm

package ui

import (
	"fmt"
	"strings"
	"syscall/js"
	"unicode/utf16"

	"github.com/imprompt/imprompt/app/state"
)

// typing helps while words are typed: it completes names, and changes weights with Ctrl and the arrow keys. It listens to
// the window, because a listener must answer before the event is over, and go-app's own run too late.
type typing struct {
	composer   *state.Composer
	library    *state.Library
	loop       *loop
	completion *state.Completion
	own        bool // the next change of a prompt is our own, and completes nothing
}

// The labels of the two prompts.
const (
	promptLabel   = "Prompt"
	negativeLabel = "Negative prompt"
)

// wordsID is the id of a prompt's text field.
func wordsID(label string) string { return "words-" + label }

// suggestionID is the id of one of a prompt's suggestions, or of all of them for -1. It has no spaces, as other
// attributes name it.
func suggestionID(label string, i int) string {
	return fmt.Sprintf("suggestion-%s-%d", strings.ReplaceAll(label, " ", "-"), i)
}

func (t *typing) listen() {
	capture("keydown", t.keyDown)
	capture("mousedown", func(e js.Value) {
		if inside(e, ".suggestion") {
			e.Call("preventDefault") // the text field keeps the keyboard
		}
	})
}

// promptOf returns the label and the text field of the prompt in which an event happened.
func promptOf(e js.Value) (label string, area js.Value) {
	area = e.Get("target")
	for _, label := range []string{promptLabel, negativeLabel} {
		if id := area.Get("id"); id.Type() == js.TypeString && id.String() == wordsID(label) {
			return label, area
		}
	}
	return "", area
}

func (t *typing) keyDown(e js.Value) {
	label, area := promptOf(e)
	if label == "" || e.Get("isComposing").Truthy() {
		return
	}
	key := e.Get("key").String()
	if t.press(label, area, key, e.Get("ctrlKey").Truthy() || e.Get("metaKey").Truthy()) {
		e.Call("preventDefault")
		e.Call("stopImmediatePropagation")
		t.loop.dispatch(func() {})
	}
}

// press reports whether it did what a key is for.
func (t *typing) press(label string, area js.Value, key string, command bool) bool {
	arrow := key == "ArrowUp" || key == "ArrowDown"
	if command {
		if arrow {
			t.weigh(area, key == "ArrowUp")
		}
		return arrow
	}
	c := t.completion
	if !c.Open(label) {
		return false
	}
	switch {
	case key == "ArrowDown":
		c.Move(1)
	case key == "ArrowUp":
		c.Move(-1)
	case (key == "Enter" || key == "Tab") && c.Selected >= 0:
		t.pick(c.Selected)
	case key == "Escape":
		c.Close()
	default:
		return false
	}
	return true
}

// typed looks for names that complete what was typed into a prompt.
func (t *typing) typed(label string) {
	area := byID(wordsID(label))
	from, to := area.Get("selectionStart").Int(), area.Get("selectionEnd").Int()
	if t.own || from != to {
		t.own = false
		t.completion.Close()
		return
	}
	text := area.Get("value").String()
	t.completion.Typed(label, text, bytesAt(text, from), &t.library.Chooser)
}

// pick takes one of the suggestions.
func (t *typing) pick(i int) {
	c := t.completion
	if !c.Open(c.Field) || i >= len(c.List) {
		return
	}
	t.edit(byID(wordsID(c.Field)), c.Pick(i))
}

// weigh makes the selected words weigh more or less.
func (t *typing) weigh(area js.Value, more bool) {
	text := area.Get("value").String()
	from, to := bytesAt(text, area.Get("selectionStart").Int()), bytesAt(text, area.Get("selectionEnd").Int())
	if e, ok := state.Weigh(text, from, to, more, t.composer.Settings.PromptWeights); ok {
		t.edit(area, e)
	}
}

// edit changes a text field as if it were typed, so that the browser can undo it.
func (t *typing) edit(area js.Value, e state.Edit) {
	before := area.Get("value").String()
	after := before[:e.From] + e.Text + before[e.To:]
	t.own = true
	area.Call("focus")
	area.Call("setSelectionRange", unitsAt(before, e.From), unitsAt(before, e.To))
	js.Global().Get("document").Call("execCommand", "insertText", false, e.Text)
	area.Call("setSelectionRange", unitsAt(after, e.Select), unitsAt(after, e.SelectEnd))
}

// bytesAt and unitsAt turn a place in a text from the browser's UTF-16 units into Go's bytes, and back.
func bytesAt(text string, units int) int {
	for i, r := range text {
		if units <= 0 {
			return i
		}
		units -= utf16.RuneLen(r)
	}
	return len(text)
}

func unitsAt(text string, bytes int) (units int) {
	for _, r := range text[:bytes] {
		units += utf16.RuneLen(r)
	}
	return units
}
