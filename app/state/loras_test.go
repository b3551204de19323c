package state

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
)

// withLoRAs is a chooser with a stored model, which is chosen, and two LoRAs.
func withLoRAs() *Chooser {
	record := func(kind loader.Kind, id, name string, about *loader.LoRAInfo) store.Item {
		return store.Item{Record: store.Record{ID: id, Kind: kind, Name: name, Complete: true, LoRA: about}}
	}
	c := &Chooser{Chosen: Choice{ID: "sd15", Name: "SD"}, stored: store.Library{Items: []store.Item{
		record(loader.KindModel, "sd15", "SD", nil),
		record(loader.KindLoRA, "ink.safetensors", "ink.safetensors", &loader.LoRAInfo{Title: "Ink v2", Triggers: []string{"in ink"}, Hash: "0123456789abcdef"}),
		record(loader.KindLoRA, "https://hub/a/lcm.safetensors", "LCM-LoRA", nil),
	}}}
	c.stored.Items[2].Files = []store.Remote{{SHA256: "FEDCBA9876543210"}}
	return c
}

// A LoRA is found by what settings, pictures and tags may call it.
func TestFindLoRA(t *testing.T) {
	c := withLoRAs()
	for _, tc := range []struct {
		l    settings.LoRA
		want string
	}{
		{settings.LoRA{Weights: "ink.safetensors"}, "ink.safetensors"},
		{settings.LoRA{Weights: "ink"}, "ink.safetensors"},
		{settings.LoRA{Weights: "Ink v2"}, "ink.safetensors"},
		{settings.LoRA{Weights: "renamed", Hash: "0123456789ab"}, "ink.safetensors"},
		{settings.LoRA{Weights: "renamed", Hash: "fedcba9876"}, "https://hub/a/lcm.safetensors"},
		{settings.LoRA{Weights: "lcm"}, "https://hub/a/lcm.safetensors"},
		{settings.LoRA{Weights: "LCM-LoRA"}, "https://hub/a/lcm.safetensors"},
		{settings.LoRA{Weights: "none"}, ""},
	} {
		if got, _ := c.FindLoRA(tc.l); got.ID != tc.want {
			t.Errorf("%+v is %q, want %q", tc.l, got.ID, tc.want)
		}
	}
	if got, want := c.LoRAs()[0], (LoRA{"ink.safetensors", "ink", "Ink v2", []string{"in ink"}, "0123456789abcdef", ""}); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

// The styles of the card and the tags in the words go into a request, and the tags out of the words.
func TestLoRAsOfARequest(t *testing.T) {
	l := &Library{Chooser: *withLoRAs()}
	c := NewComposer()
	c.AddLoRA("ink.safetensors")
	c.AddLoRA("ink.safetensors")
	c.Settings.LoRAs[0].Scale = 0.5
	c.Settings.Prompt = "a fox <lora:lcm:0.8>"
	r := c.ForPicture("sd15", nil)
	l.Resolve(&r)
	want := []settings.LoRA{{Weights: "ink.safetensors", Scale: 0.5, Hash: "0123456789abcdef"}, {Weights: "https://hub/a/lcm.safetensors", Scale: 0.8}}
	if got := r.Jobs[0]; got.Prompt != "a fox" || !reflect.DeepEqual(got.LoRAs, want) || r.Problem(l).Text != "" {
		t.Errorf("%q, %+v, %q", got.Prompt, got.LoRAs, r.Problem(l).Text)
	}
	if c.Settings.Prompt != "a fox <lora:lcm:0.8>" || len(c.Settings.LoRAs) != 1 {
		t.Errorf("the composer has changed: %+v", c.Settings)
	}
	c.Settings.Prompt = "a fox <lora:gone:1>"
	r = c.ForPicture("sd15", nil)
	if l.Resolve(&r); !strings.Contains(r.Problem(l).Text, "gone is not here") {
		t.Errorf("the problem is %q", r.Problem(l).Text)
	}
	l.Chosen = Choice{}
	if !strings.Contains(r.Problem(l).Text, "not one of the model that ships") {
		t.Errorf("the problem is %q", r.Problem(l).Text)
	}
	c.RemoveLoRA(0)
	if len(c.Settings.LoRAs) != 0 {
		t.Error("it is still there")
	}
}

// A stored LoRA can be used, which does not choose it as the model; one that was brought is used at once.
func TestUseLoRA(t *testing.T) {
	f := newFakeLibrary(t)
	f.takeStored(protocol.Stored{Library: store.Library{Items: []store.Item{stored("ink", loader.KindLoRA)}}}, nil)
	f.Show(true)
	if row := f.Panel().Stored[0]; !slices.ContainsFunc(row.Buttons, func(b Button) bool { return b.Do == Use }) {
		t.Errorf("the buttons are %+v", row.Buttons)
	}
	f.Do(Use, "ink")
	f.finished(question{kind: "import"}, "ink")
	if len(f.used) != 2 || len(f.chosen) != 0 || f.Chosen.ID != "" {
		t.Errorf("used: %v, chosen: %v", f.used, f.chosen)
	}
}

// Words that call a style are added once.
func TestSay(t *testing.T) {
	c := NewComposer()
	for _, tc := range []struct{ words, want string }{{"in ink", "in ink"}, {"bold", "in ink, bold"}, {"in ink", "in ink, bold"}} {
		if c.Say(tc.words); c.Settings.Prompt != tc.want {
			t.Errorf("%q", c.Settings.Prompt)
		}
	}
}
