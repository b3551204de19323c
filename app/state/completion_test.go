package state

import (
	"strings"
	"testing"

	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
)

// Names are suggested while they are typed, and a suggestion takes the place of what was typed of it.
func TestCompletion(t *testing.T) {
	from := withLoRAs()
	for _, name := range []string{"bad-hands", "very-bad", "fox"} {
		from.stored.Items = append(from.stored.Items, store.Item{Record: store.Record{ID: name, Name: name + ".safetensors", Kind: loader.KindTextualInversion, Complete: true}})
	}
	var c Completion
	for _, tc := range []struct{ text, names, picked string }{
		{"a b|, x", "", ""},
		{"a ba|, x", "bad-hands very-bad", "a bad-hands|, x"},
		{"a\u3000ba|", "bad-hands very-bad", "a\u3000bad-hands|"}, // a space of three bytes
		{"(BAD-h|:1.2)", "bad-hands", "(bad-hands|:1.2)"},
		{"fox|", "", ""}, // it is there
		{"a fo|", "fox", "a fox|"},
		{"a <|", "ink LCM-LoRA", "a <lora:ink:1>|"},
		{"a <lora:|", "ink LCM-LoRA", "a <lora:ink:1>|"},
		{"a <lora:lo| x", "LCM-LoRA", "a <lora:LCM-LoRA:1>| x"},
		{"<lora:ink:|", "", ""},
	} {
		at := strings.IndexByte(tc.text, '|')
		plain := strings.ReplaceAll(tc.text, "|", "")
		c.Typed("Prompt", plain, at, from)
		var names []string
		for _, s := range c.List {
			names = append(names, s.Name)
		}
		if got := strings.Join(names, " "); got != tc.names || c.Open("Prompt") != (got != "") || c.Open("Negative prompt") {
			t.Errorf("%s: suggested are %q, want %q", tc.text, got, tc.names)
			continue
		}
		if tc.picked == "" {
			continue
		}
		if got := strings.Replace(c.Pick(0).apply(plain), "||", "|", 1); got != tc.picked || c.Open("Prompt") {
			t.Errorf("%s became %q, want %q", tc.text, got, tc.picked)
		}
	}
}

func TestMoveThroughSuggestions(t *testing.T) {
	c := Completion{List: make([]Suggestion, 3), Selected: -1}
	var seen []int
	for _, by := range []int{-1, 1, 1, 1, -1} {
		c.Move(by)
		seen = append(seen, c.Selected)
	}
	if got := seen; got[0] != 2 || got[1] != 0 || got[3] != 2 || got[4] != 1 {
		t.Errorf("selected one after the other: %v", got)
	}
}
