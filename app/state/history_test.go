package state

import (
	"fmt"
	"slices"
	"testing"
)

func TestHistory(t *testing.T) {
	h := &History{}
	if _, ok := h.Earlier("typed"); ok {
		t.Error("there is no earlier prompt")
	}
	for _, p := range []string{"a", "b", "", "a", "c"} {
		h.Asked(p)
	}
	if !slices.Equal(h.Prompts, []string{"b", "a", "c"}) {
		t.Fatalf("%q", h.Prompts)
	}
	shown := "typed"
	var seen []string
	for {
		p, ok := h.Earlier(shown)
		if !ok {
			break
		}
		seen, shown = append(seen, p), p
	}
	for {
		p, ok := h.Later(shown)
		if !ok {
			break
		}
		seen, shown = append(seen, p), p
	}
	if !slices.Equal(seen, []string{"c", "a", "b", "a", "c", "typed"}) {
		t.Errorf("%q", seen)
	}
	// What is shown is passed over, and an edit begins anew.
	if p, _ := h.Earlier("c"); p != "a" {
		t.Errorf("before c comes %q", p)
	}
	if p, _ := h.Earlier("a and more"); p != "c" {
		t.Errorf("after an edit comes %q", p)
	}
	if _, ok := h.Later("another"); ok {
		t.Error("there is nothing after what is typed")
	}
	for i := range 2 * maxHistory {
		h.Asked(fmt.Sprint(i))
	}
	if len(h.Prompts) != maxHistory || h.Prompts[0] != fmt.Sprint(maxHistory) {
		t.Errorf("%d prompts, the first %s", len(h.Prompts), h.Prompts[0])
	}
}

// A prompt is chosen from a list, too, which a phone without arrow keys needs. What was typed joins the list.
func TestHistoryList(t *testing.T) {
	h := &History{}
	for i := range 40 {
		h.Asked(fmt.Sprint(i))
	}
	if list := h.Listed(); len(list) != 30 || list[0] != "39" || list[29] != "10" {
		t.Errorf("%q", list)
	}
	if p, ok := h.Choose(2, "typed"); !ok || p != "37" || h.Listed()[0] != "typed" {
		t.Errorf("%q, and then %q", p, h.Listed())
	}
	if p, ok := h.Choose(0, "37"); !ok || p != "typed" || h.Listed()[0] != "typed" {
		t.Errorf("%q, and then %q", p, h.Listed())
	}
	if _, ok := h.Choose(30, "37"); ok {
		t.Error("a prompt that is not listed was chosen")
	}
}
