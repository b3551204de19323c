package state

import (
	"strings"
	"testing"

	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
)

// What is typed is marked piece by piece, and the pieces together are what is typed.
func TestMark(t *testing.T) {
	c := withLoRAs()
	c.stored.Items = append(c.stored.Items, store.Item{Record: store.Record{ID: "bad.safetensors", Name: "bad.safetensors", Kind: loader.KindTextualInversion, Complete: true}})
	for _, tc := range []struct {
		text    string
		weights bool
		want    string
	}{
		{"a (fox:1.3)(cat)[hen] BREAK (dog:0.5)", true, "|fox: up much|cat: up|hen: down| BREAK : break|dog: down much"},
		{"a (fox:1.3)", false, ""},
		{"(a bad fox:1.2) bad <lora:ink:0.8> <lora:none:1>", true, "|a : up|bad: up name| fox: up|bad: name|<lora:ink:0.8>: name|<lora:none:1>: gone"},
		{"été (雪:2) bad", true, "|雪: up much|bad: name"},
		{"", true, ""},
	} {
		got, whole := "", ""
		for _, m := range c.Mark(tc.text, tc.weights) {
			whole += m.Text
			if m.Class != "" {
				got += "|" + m.Text + ": " + m.Class
			}
		}
		if got != tc.want || whole != tc.text {
			t.Errorf("%q is marked %q, want %q", tc.text, got, tc.want)
		}
	}
	if list := c.Mark(strings.Repeat("a", 1<<20), true); list != nil {
		t.Error("what is too long is marked")
	}
}
