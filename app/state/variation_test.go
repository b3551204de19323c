package state

import (
	"reflect"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
)

func TestFirstVariationRollsItsSeed(t *testing.T) {
	c := NewComposer()
	for c.Settings.VariationSeed == 0 {
		c.SetVariation(0.1) // which may well roll 0
	}
	seed := c.Settings.VariationSeed
	c.SetVariation(0)
	c.SetVariation(0.4)
	if s := c.ForPicture("", nil).Jobs[0]; s.VariationSeed != seed || s.VariationStrength != 0.4 {
		t.Errorf("a picture is asked for with %d at %g, not %d at 0.4", s.VariationSeed, s.VariationStrength, seed)
	}
}

// Variations are of the result's settings and pictures, whatever is composed.
func TestVariations(t *testing.T) {
	_, r := made(t)
	composed := NewComposer()
	composed.Settings.Prompt = "something else"
	request := composed.ForVariations(r, r.Inputs)
	s := request.Jobs[0]
	if s.Seed != 7 || s.VariationStrength != 0.25 || s.NumImages != 4 || strings.Join(request.Labels, ", ") != "1 of 4, 2 of 4, 3 of 4, 4 of 4" {
		t.Errorf("%d pictures of seed %d at %g, %q", s.NumImages, s.Seed, s.VariationStrength, request.Labels)
	}
	s.VariationSeed, s.VariationStrength, s.NumImages = 0, 0, 1
	if !reflect.DeepEqual(s, r.Settings) {
		t.Errorf("the other settings are\n%+v, not\n%+v", s, r.Settings)
	}
	for _, name := range r.Settings.Pictures() {
		if request.Inputs[name].Bytes != r.Inputs[name] {
			t.Errorf("the input %s is %v", name, request.Inputs[name])
		}
	}
	if problem := request.Problem(newFakeLibrary(t).Library).Text; problem != "" {
		t.Error(problem)
	}

	// Each picture is repeated by its own settings, and varied again in the same way.
	composed.Settings.NumImages = 2
	one := composed.ForVariations(r, r.Inputs).Jobs[0].From(1, 1)
	one.VariationStrength = 0.1
	more := composed.ForVariations(&Result{Settings: one}, r.Inputs).Jobs[0]
	if more.Seed != 7 || more.VariationStrength != 0.1 || more.NumImages != 2 {
		t.Errorf("a variation is varied as %+v", more)
	}
}

// A result is its own image prompt, in place of those that it was made from.
func TestMoreLike(t *testing.T) {
	_, r := made(t)
	edges := settings.DefaultControlNet()
	r.Settings.Guides = append(r.Settings.Guides, &edges)
	r.Settings.VariationSeed, r.Settings.VariationStrength = 3, 0.5
	fit := []Adapter{{ID: "other"}, {ID: "plus", Encoder: "clip"}}
	request := NewComposer().ForMoreLike(r, r.Inputs, "png", fit)
	s := request.Jobs[0]
	if len(s.Guides) != 2 || len(s.IPAdapters()) != 1 || s.VariationStrength != 0 || s.NumImages != 4 || s.Prompt != "a fox" || s.InitImage != r.Settings.InitImage {
		t.Fatalf("%+v", s)
	}
	a := s.IPAdapters()[0]
	if a.Lambda != 0.5 || a.Weights != "plus" || a.ImageEncoder != "clip" || len(a.Images) != 1 || request.Inputs[a.Images[0].Picture].Bytes != "png" {
		t.Errorf("its image prompt is %+v of %v", a, request.Inputs)
	}
	if _, ok := request.Inputs["1-fox.png"]; ok {
		t.Error("the image prompt that it was made from is still there")
	}
	if len(r.Settings.IPAdapters()) != 2 {
		t.Error("the result's own settings have changed")
	}
}

// A picture of another model than the chosen one is drawn again by its own, if that is here.
func TestVariationsInTheirModel(t *testing.T) {
	_, r := made(t)
	r.Settings.Model = "sd"
	c := NewComposer()
	ask := func(f *fakeLibrary) Request { return c.ForMoreLike(r, r.Inputs, "png", f.AdaptersOf(r.Settings)) }
	f := newFakeLibrary(t)
	if problem := ask(f).Problem(f.Library).Text; !strings.Contains(problem, "the model sd, which is not here") {
		t.Errorf("without the model: %q", problem)
	}
	model := stored("sd", loader.KindModel, func(i *store.Item) { i.CrossDim = 768 })
	f.store(model)
	if problem := ask(f).Problem(f.Library).Text; !strings.Contains(problem, "needs an IP-Adapter that fits sd") {
		t.Errorf("without an adapter: %q", problem)
	}
	f.store(model, stored("clip", loader.KindImageEncoder), stored("small", loader.KindIPAdapter, func(i *store.Item) { i.CrossDim = 512 }),
		stored("plus", loader.KindIPAdapter, func(i *store.Item) { i.CrossDim, i.Needs = 768, "clip" }))
	request := ask(f)
	if problem := request.Problem(f.Library).Text; problem != "" || request.Jobs[0].IPAdapters()[0].Weights != "plus" || f.Chosen.ID != "" {
		t.Errorf("with all that it takes: %q, %+v, and the model %q is chosen", problem, request.Jobs[0].IPAdapters()[0], f.Chosen.ID)
	}
	delete(r.Inputs, "start-room.png")
	if problem := ask(f).Problem(f.Library).Text; problem != "room.png, from which this picture was made, is not stored here." {
		t.Errorf("without its start picture: %q", problem)
	}
}
