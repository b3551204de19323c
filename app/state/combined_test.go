package state

import (
	"reflect"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader/store"
)

// Several pictures of one image prompt, one that the result should not be like, tiles and kept embeddings go into a
// request, and come back with its settings.
func TestCombinedPictures(t *testing.T) {
	c := NewComposer()
	c.SetSeed(7)
	im := NewImagePrompt(pictureNamed("image.png"))
	c.AddPrompt(im)
	c.AddMore(im, pictureNamed("image.png"))
	c.AddMore(im, pictureNamed("c.png"))
	im.More[1].Crop.ZoomTo(2)
	im.Combine = settings.CombineSubtract
	c.SetUnlike(im, pictureNamed("d.png"))
	tiled := NewImagePrompt(pictureNamed("wide.png"))
	tiled.Tiled = settings.TiledConcat
	tiled.Crop.ZoomTo(2)
	c.AddPrompt(tiled)
	c.AddPrompt(NewKept("kept.safetensors", "embeddings"))
	r := c.ForPicture("sd15", []Adapter{{ID: "plus", Encoder: "clip"}})
	crop := settings.Crop{X: 125, Y: 25, Size: 50}
	want := []*settings.IPAdapter{
		{Weights: "plus", ImageEncoder: "clip", Lambda: 0.7, Layers: "all", End: 1, Combine: settings.CombineSubtract,
			Images: []settings.ImagePrompt{{Picture: "1-image.png"}, {Picture: "1.2-image.png"}, {Picture: "1.3-c.png", Crop: &crop}}, Negative: &settings.ImagePrompt{Picture: "1.not-d.png"}},
		{Weights: "plus", ImageEncoder: "clip", Lambda: 0.7, Layers: "all", End: 1, Tiled: settings.TiledConcat, Images: []settings.ImagePrompt{{Picture: "2-wide.png"}}},
		{Weights: "plus", Lambda: 0.7, Layers: "all", End: 1, Embeds: "3-kept.safetensors"},
	}
	if got := r.Jobs[0].IPAdapters(); !reflect.DeepEqual(got, want) || r.Jobs[0].Validate() != nil {
		t.Errorf("asked for is %+v, %v", got, r.Jobs[0].Validate())
	}
	result := &Result{Settings: r.Jobs[0], Inputs: map[string]any{}}
	for name, in := range r.Inputs {
		result.Inputs[name] = in.Bytes
	}
	pictures, err := result.Pictures(nil, fakeBrowser{})
	if err != nil {
		t.Fatal(err)
	}
	again := NewComposer()
	again.Restore(result.Settings)
	again.RestorePictures(pictures)
	if got := again.ForPicture("sd15", []Adapter{{ID: "plus", Encoder: "clip"}}); !reflect.DeepEqual(got.Jobs[0], r.Jobs[0]) || !reflect.DeepEqual(got.Inputs, r.Inputs) {
		t.Errorf("it came back as %+v", got)
	}
}

// The pictures beside an image prompt's own leave with it, and only then.
func TestCombinedPicturesAreFreed(t *testing.T) {
	freed := 0
	counted := func() *Picture {
		p := pictureNamed("a")
		p.Free = func() { freed++ }
		return p
	}
	c := NewComposer()
	im := NewImagePrompt(counted())
	c.AddPrompt(im)
	for range MaxMore + 1 {
		c.AddMore(im, counted())
	}
	if freed != 1 || len(im.More) != MaxMore || c.Problems[AtPrompts].Text == "" {
		t.Errorf("%d are freed, of %d", freed, len(im.More))
	}
	c.RemoveMore(im, im.More[2])
	c.SetUnlike(im, counted())
	c.SetUnlike(im, counted())
	if freed != 3 || len(im.More) != MaxMore-1 {
		t.Errorf("%d are freed, of %d", freed, len(im.More))
	}
	c.RemovePrompt(im)
	if freed != 3+MaxMore-1+2 {
		t.Errorf("at the end %d are freed", freed)
	}
}

// Kept embeddings need an adapter, and no image encoder.
func TestKeptNeedsNoEncoder(t *testing.T) {
	f := newFakeLibrary(t, stored("m", "model"), stored("a", "ip_adapter", func(i *store.Item) { i.Needs = "clip" }))
	f.Choose("m")
	s := settings.Settings{Guides: settings.Guides{&settings.IPAdapter{Embeds: "kept"}}}
	if got := f.Problem(s).Text; got != "" {
		t.Error(got)
	}
	if g, ok := f.Lacks(s); ok {
		t.Errorf("it lacks %+v", g)
	}
}

// Every picture of an image prompt has a number and a crop of its own.
func TestPartAt(t *testing.T) {
	picture := func(name string) *Picture { return &Picture{Name: name, Width: 30, Height: 20} }
	c, im := NewComposer(), NewImagePrompt(picture("a"))
	c.AddPrompt(im)
	c.AddMore(im, picture("b"))
	c.AddMore(im, picture("c"))
	for number, want := range map[int]string{0: "a", 1: "b", 2: "c", 3: "", UnlikePart: ""} {
		p, crop := im.PartAt(number)
		switch {
		case want == "" && (p != nil || crop != nil):
			t.Errorf("there is a picture %d", number)
		case want != "" && p.Name != want:
			t.Errorf("picture %d is %s, want %s", number, p.Name, want)
		case want != "":
			crop.ZoomTo(float64(number + 1))
		}
	}
	c.SetUnlike(im, picture("d"))
	if p, crop := im.PartAt(UnlikePart); p != im.Unlike.Picture || crop != &im.Unlike.Crop {
		t.Error("the picture that the result should not be like is another one")
	}
	if im.Crop.Zoom != 1 || im.More[0].Crop.Zoom != 2 || im.More[1].Crop.Zoom != 3 {
		t.Errorf("the zooms are %g, %g and %g", im.Crop.Zoom, im.More[0].Crop.Zoom, im.More[1].Crop.Zoom)
	}
}
