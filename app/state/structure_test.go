package state

import (
	"reflect"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/web"
)

// twoNetworks is what reads maps for a model: a ControlNet that is here, and a T2I-Adapter to download.
func twoNetworks() []*Network {
	return []*Network{{ID: "canny", Name: "Canny", Kind: loader.KindControlNet, Here: true}, {ID: "hub/sketch", Name: "Sketch", Kind: loader.KindT2IAdapter, Bytes: 1 << 20}}
}

// Maps go into a request as guides, with their pictures beside them, and come back with the result.
func TestStructureInARequest(t *testing.T) {
	c := NewComposer()
	c.Networks = twoNetworks
	edges, sketch := NewStructure(named("edges.png")), NewStructure(named("sketch.png"))
	edges.Balance, edges.Scale = settings.BalancePrompt, 0.5
	edges.SetEnd(0.8)
	edges.SetStart(0.9) // not after its end
	sketch.Network = "sketch"
	c.AddStructure(edges)
	c.AddStructure(sketch)
	r := c.ForPicture("sd", nil)
	want := settings.Guides{
		&settings.ControlNet{Weights: "canny", Map: "map1-edges.png", Lambda: 0.5, Start: 0.8, End: 0.8, Balance: settings.BalancePrompt, Preprocessor: "canny"},
		&settings.T2IAdapter{Weights: "hub/sketch", Map: "map2-sketch.png", Lambda: 1, End: 1, Preprocessor: "scribble"},
	}
	if got := r.Jobs[0].Guides; !reflect.DeepEqual(got, want) {
		t.Errorf("the guides are %+v", got)
	}
	if r.Inputs["map1-edges.png"].Bytes != edges.Bytes || len(r.Inputs) != 2 {
		t.Errorf("the inputs are %v", r.Inputs)
	}

	result := &Result{Settings: r.Jobs[0], Inputs: map[string]any{"map1-edges.png": edges.Bytes, "map2-sketch.png": sketch.Bytes}}
	p, err := result.Pictures(nil, fakeBrowser{})
	if err != nil {
		t.Fatal(err)
	}
	again := NewComposer()
	again.Networks = twoNetworks
	again.Restore(r.Jobs[0])
	again.RestorePictures(p)
	if got := again.ForPicture("sd", nil).Jobs[0].Guides; !reflect.DeepEqual(got, want) {
		t.Errorf("the guides came back as %+v", got)
	}
}

// There is room for four pictures. A fifth one says so, and is given back.
func TestStructureHasRoomForFour(t *testing.T) {
	c := NewComposer()
	freed := false
	fifth := named("e.png")
	fifth.Free = func() { freed = true }
	for _, p := range []*Picture{named("a.png"), named("b.png"), named("c.png"), named("d.png"), fifth} {
		c.AddStructure(NewStructure(p))
	}
	if len(c.Structures) != 4 || !freed || !strings.Contains(c.Problems[AtStructure].Text, "room for 4 pictures") {
		t.Errorf("%d maps, %q", len(c.Structures), c.Problems[AtStructure].Text)
	}
	c.RemoveStructure(c.Structures[3])
	c.RemoveStructure(c.Structures[2])
	if c.RemoveStructure(c.Structures[0]); len(c.Structures) != 1 || c.Problems[AtStructure].Text != "" || c.Empty() {
		t.Errorf("%d maps, %q", len(c.Structures), c.Problems[AtStructure].Text)
	}
	undo := &Undo{}
	step := c.Replacing(undo, nil)
	c.Structures[0].Scale = 0.1
	c.Clear()
	if !c.Empty() {
		t.Error("Clear leaves a map")
	}
	step.Back()
	if len(c.Structures) != 1 || c.Structures[0].Scale != 1 || c.Structures[0].Name != "b.png" {
		t.Errorf("taken back: %+v", c.Structures)
	}
}

// A draft keeps maps, and a file's settings go to the maps that are here.
func TestStructureIsKept(t *testing.T) {
	drafts := &fakeDrafts{}
	v, _ := newVisit(t, drafts)
	s := NewStructure(named("edges.png"))
	s.Network, s.Scale, s.Balance = "canny", 0.5, settings.BalanceControl
	v.composer.AddStructure(s)
	v.save()
	again, _ := newVisit(t, drafts)
	if !reflect.DeepEqual(again.composer.Structures, v.composer.Structures) {
		t.Errorf("it came back as %+v", again.composer.Structures)
	}
	file := settings.Default()
	file.Guides = settings.Guides{&settings.ControlNet{Weights: "pose", Lambda: 0.25, End: 0.5, Balance: settings.BalanceEven}, &settings.T2IAdapter{Weights: "sketch"}}
	note := again.composer.RestoreFile("fox.png", file, nil)
	if got := again.composer.Structures[0]; got.Network != "pose" || got.Scale != 0.25 || got.End != 0.5 || !strings.Contains(note, "Add its maps again") {
		t.Errorf("%+v, %q", got, note)
	}
}

// The networks that are here come first, and a map whose network is missing is a problem with its remedy.
func TestNetworksOfAModel(t *testing.T) {
	f := newFakeLibrary(t, stored("sd15", loader.KindModel), stored("pose", loader.KindControlNet))
	f.catalogue.Models = append(f.catalogue.Models, loader.Entry{ID: "canny", Kind: loader.KindControlNet, Name: "Canny", Bytes: 7e8, Licence: "rail"},
		loader.Entry{ID: "pose", Kind: loader.KindControlNet, Name: "Pose"})
	request := func(network string) Request {
		s := settings.Default()
		s.Model = f.Chosen.ID
		s.Guides = settings.Guides{&settings.ControlNet{Weights: network, Map: "m.png", Lambda: 1, End: 1, Balance: settings.BalanceEven}}
		return Request{Jobs: []settings.Settings{s}}
	}
	own := []*Network{{Name: web.Ships.ControlNet, Kind: loader.KindControlNet, Here: true}, reference()}
	if text := request("").Problem(f.Library).Text; !reflect.DeepEqual(f.Networks(), own) || text != "" {
		t.Errorf("the model that ships: %v, %q", f.Networks(), text)
	}
	if text := request("pose").Problem(f.Library).Text; !strings.Contains(text, "choose another model") {
		t.Errorf("another model's network with the model that ships: %q", text)
	}
	f.Choose("sd15")
	want := []*Network{{ID: "pose", Name: "pose", Kind: loader.KindControlNet, Here: true}, {ID: "canny", Name: "Canny", Kind: loader.KindControlNet, Bytes: 7e8}, reference()}
	if got := f.Networks(); !reflect.DeepEqual(got, want) {
		t.Errorf("the networks are %+v", got)
	}
	for network, problem := range map[string]string{"pose": "", "canny": "Canny is not here", "other": "A map needs a ControlNet"} {
		if text := request(network).Problem(f.Library).Text; (text == "") != (problem == "") || !strings.Contains(text, problem) {
			t.Errorf("%s: %q", network, text)
		}
	}
	if row := f.Need(want[1]); len(row.Buttons) != 1 || row.Buttons[0].Do != PlanDownload || !strings.Contains(row.About, "OpenRAIL") {
		t.Errorf("Canny is offered as %+v", row)
	}
}
