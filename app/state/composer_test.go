package state

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
)

func pictureNamed(name string) *Picture {
	return &Picture{Name: name, Width: 300, Height: 100, Bytes: "bytes of " + name}
}

func TestImagePrompts(t *testing.T) {
	t.Run("there is room for MaxPrompts", func(t *testing.T) {
		c := NewComposer()
		for i := range MaxPrompts + 1 {
			c.AddPrompt(NewImagePrompt(pictureNamed(fmt.Sprint(i))))
		}
		if len(c.Prompts) != MaxPrompts || !c.Full() {
			t.Errorf("there are %d image prompts", len(c.Prompts))
		}
		if text := c.Problems[AtPrompts].Text; !strings.Contains(text, "remove one first") {
			t.Errorf("the fifth is refused with %q", text)
		}
		c.RemovePrompt(c.Prompts[0])
		if len(c.Problems) > 0 || c.Full() {
			t.Errorf("after one was removed: %v", c.Problems)
		}
	})
	t.Run("removing one leaves the others", func(t *testing.T) {
		c := NewComposer()
		same := pictureNamed("same")
		a, b, d := NewImagePrompt(same), NewImagePrompt(same), NewImagePrompt(same)
		c.Prompts = []*ImagePrompt{a, b, d}
		c.RemovePrompt(b)
		if len(c.Prompts) != 2 || c.Prompts[0] != a || c.Prompts[1] != d {
			t.Error("another image prompt than the one that was meant is gone")
		}
		c.RemovePrompt(b) // a second click
		if len(c.Prompts) != 2 {
			t.Error("removing it again removed another")
		}
	})
	t.Run("the start stays before the end", func(t *testing.T) {
		im := NewImagePrompt(pictureNamed("a"))
		im.SetEnd(0.5)
		im.SetStart(0.8)
		if im.Start != 0.5 {
			t.Errorf("it starts at %g, after its end", im.Start)
		}
		im.SetEnd(0.1)
		if im.End != 0.5 {
			t.Errorf("it ends at %g, before its start", im.End)
		}
		im.SetEnd(7)
		if im.End != 1 {
			t.Errorf("it ends at %g", im.End)
		}
	})
	t.Run("an adapter that does not fit gives way to the first that does", func(t *testing.T) {
		im := &ImagePrompt{Adapter: "b"}
		if _, ok := im.AdapterOf(nil); ok {
			t.Error("there is an adapter where none fits")
		}
		if a, _ := im.AdapterOf([]Adapter{{ID: "a"}, {ID: "b"}}); a.ID != "b" {
			t.Errorf("%q is used, not the one that was chosen", a.ID)
		}
		if a, _ := im.AdapterOf([]Adapter{{ID: "a"}, {ID: "c"}}); a.ID != "a" {
			t.Errorf("%q is used, not the first", a.ID)
		}
	})
	t.Run("an adapter is found by the name that a picture's file carries", func(t *testing.T) {
		const link = "https://hub/plus.safetensors"
		im := &ImagePrompt{Adapter: link}
		if a, ok := im.AdapterOf([]Adapter{{ID: "a"}, {ID: link + "?token=secret"}}); !ok || a.ID != link+"?token=secret" {
			t.Errorf("%q is used", a.ID)
		}
	})
}

func TestStartPicture(t *testing.T) {
	c := NewComposer()
	c.SetStart(pictureNamed("a"))
	c.StartMask.All()
	c.Problems[AtStart] = Problem{Text: "an earlier one could not be read"}
	c.SetStart(pictureNamed("b"))
	if !c.StartMask.Empty() || len(c.Problems) > 0 {
		t.Error("another start picture has its predecessor's mask or problem")
	}
}

func TestSeed(t *testing.T) {
	c := NewComposer()
	r := c.ForPicture("", nil)
	if r.Jobs[0].Seed != c.Settings.Seed {
		t.Error("the controls show another seed than the one that is used")
	}
	seeds := map[uint64]bool{}
	for range 10 {
		seeds[c.ForPicture("", nil).Jobs[0].Seed] = true
	}
	if len(seeds) < 2 {
		t.Error("ten requests had the same seed")
	}
	c.SetSeed(42)
	if got := c.ForPicture("", nil).Jobs[0].Seed; got != 42 {
		t.Errorf("the seed that was set was not kept: %d", got)
	}
}

func TestSuitModel(t *testing.T) {
	c := NewComposer()
	c.SuitModel(768)
	if s := c.Settings; s.Width != 768 || s.Height != 768 || s.NumInferenceSteps != 25 {
		t.Errorf("%d × %d, %d steps", s.Width, s.Height, s.NumInferenceSteps)
	}
	c.SuitModel(0)
	if s := c.Settings; s.Width != 128 || s.GuidanceScale != 5 {
		t.Errorf("the model that ships: %d wide, guidance %g", s.Width, s.GuidanceScale)
	}
}

func TestRequest(t *testing.T) {
	compose := func() *Composer {
		c := NewComposer()
		c.SetSeed(7)
		c.Settings.Prompt, c.Settings.NumImages = "a fox", 3
		c.AddPrompt(NewImagePrompt(pictureNamed("image.png")))
		c.AddPrompt(NewImagePrompt(pictureNamed("image.png")))
		c.Prompts[1].Mask.All()
		c.Prompts[1].Crop.ZoomTo(2)
		c.Prompts[1].Adapter = "plus"
		return c
	}
	fit := []Adapter{{ID: "global", Encoder: "clip"}, {ID: "plus", Encoder: "clip"}}

	t.Run("pictures", func(t *testing.T) {
		r := compose().ForPicture("sd", fit)
		if want := []string{"1 of 3", "2 of 3", "3 of 3"}; len(r.Jobs) != 1 || !reflect.DeepEqual(r.Labels, want) {
			t.Errorf("%d jobs, labels %q", len(r.Jobs), r.Labels)
		}
		s := r.Jobs[0]
		if err := s.Validate(); err != nil {
			t.Error(err)
		}
		if s.Model != "sd" || s.Prompt != "a fox" || len(s.IPAdapters()) != 2 {
			t.Errorf("%+v", s)
		}
		a, b := s.IPAdapters()[0], s.IPAdapters()[1]
		if a.Weights != "global" || b.Weights != "plus" || b.ImageEncoder != "clip" {
			t.Errorf("the adapters are %q and %q", a.Weights, b.Weights)
		}
		if a.Images[0].Crop != nil || !reflect.DeepEqual(b.Images[0].Crop, &settings.Crop{X: 125, Y: 25, Size: 50}) {
			t.Errorf("the crops are %+v and %+v", a.Images[0].Crop, b.Images[0].Crop)
		}
		// Two pictures of one name do not get into each other's way.
		if a.Images[0].Picture == b.Images[0].Picture || r.Inputs[a.Images[0].Picture].Bytes == nil || r.Inputs[b.Images[0].Picture].Bytes == nil {
			t.Errorf("the inputs are %v", r.Inputs)
		}
		if a.Mask != "" || r.Inputs[b.Mask].Mask == nil {
			t.Errorf("the masks are %q and %q of %v", a.Mask, b.Mask, r.Inputs)
		}
	})
	t.Run("a mask that is painted on later leaves the request alone", func(t *testing.T) {
		c := compose()
		r := c.ForPicture("", fit)
		c.Prompts[1].Mask.Undo()
		if r.Inputs[r.Jobs[0].IPAdapters()[1].Mask].Mask.Empty() {
			t.Error("the request's mask is empty")
		}
	})
	t.Run("a start picture with a mask", func(t *testing.T) {
		c := NewComposer()
		c.SetStart(pictureNamed("room.png"))
		r := c.ForPicture("", nil)
		if s := r.Jobs[0]; s.InitImage != "start-room.png" || s.Mask != "" || len(r.Inputs) != 1 {
			t.Errorf("without a mask: %q, %q, %v", s.InitImage, s.Mask, r.Inputs)
		}
		c.StartMask.All()
		r = c.ForPicture("", nil)
		if s := r.Jobs[0]; r.Inputs[s.Mask].Mask == nil || s.Validate() != nil {
			t.Errorf("with a mask: %q, %v", s.Mask, r.Inputs)
		}
	})
	t.Run("a strip of image weights", func(t *testing.T) {
		r := compose().ForWeightStrip("", fit)
		if want := []string{"λ = 0", "λ = 0.25", "λ = 0.5", "λ = 0.75", "λ = 1"}; !reflect.DeepEqual(r.Labels, want) {
			t.Errorf("the labels are %q", r.Labels)
		}
		for i, s := range r.Jobs {
			for _, a := range s.IPAdapters() {
				if want := float64(i) / 4; a.Lambda != want {
					t.Errorf("job %d has a weight of %g, want %g", i, a.Lambda, want)
				}
			}
			if s.Seed != 7 || s.NumImages != 1 {
				t.Errorf("job %d: seed %d, %d pictures", i, s.Seed, s.NumImages)
			}
		}
	})
	t.Run("a strip of seeds", func(t *testing.T) {
		r := compose().ForSeedStrip("", fit)
		if want := []string{"seed 7", "seed 8", "seed 9", "seed 10", "seed 11"}; !reflect.DeepEqual(r.Labels, want) {
			t.Errorf("the labels are %q", r.Labels)
		}
		for i, s := range r.Jobs {
			if s.Seed != uint64(7+i) || s.NumImages != 1 || s.IPAdapters()[0].Lambda != 0.7 {
				t.Errorf("job %d: %+v", i, s)
			}
		}
	})
}

func TestRequestProblem(t *testing.T) {
	f := newFakeLibrary(t)
	c := NewComposer()
	if text := c.ForPicture("", nil).Problem(f.Library).Text; text != "" {
		t.Errorf("what is composed at first cannot be generated: %s", text)
	}
	c.Settings.Width = 63
	if text := c.ForPicture("", nil).Problem(f.Library).Text; !strings.Contains(text, "width is 63") {
		t.Errorf("a width of 63 pixels: %q", text)
	}
	c.Settings.Width = 64
	c.Settings.TomeRatio = 0.5
	merging := c.ForPicture("", nil)
	merging.Jobs[0].Guides = settings.Guides{&settings.Reference{Picture: "a.png", Attention: true}}
	if text := merging.Problem(f.Library).Text; !strings.Contains(text, "Set Merged tokens to 0") {
		t.Errorf("merged tokens beside a reference picture: %q", text)
	}
	f.Chosen = Choice{ID: "sd15", Name: "SD 1.5"}
	c.AddPrompt(NewImagePrompt(pictureNamed("fox.png")))
	if text := c.ForPicture("sd15", f.Adapters()).Problem(f.Library).Text; !strings.Contains(text, "needs an IP-Adapter that fits SD 1.5") {
		t.Errorf("a model without an adapter: %q", text)
	}
}

// A picture that leaves the composer is given back to the browser, once.
func TestPicturesAreFreed(t *testing.T) {
	freed := map[string]int{}
	pic := func(name string) *Picture {
		p := pictureNamed(name)
		p.Free = func() { freed[name]++ }
		return p
	}
	c := NewComposer()
	removed := NewImagePrompt(pic("removed"))
	c.AddPrompt(removed)
	c.RemovePrompt(removed)
	c.RemovePrompt(removed)
	for range MaxPrompts {
		c.AddPrompt(NewImagePrompt(pic("replaced")))
	}
	c.AddPrompt(NewImagePrompt(pic("too many")))
	c.SetStart(pic("start"))
	c.SetStart(pic("another start"))
	kept := NewImagePrompt(pic("kept"))
	c.RestorePictures(Pictures{Prompts: []*ImagePrompt{kept}})
	for name, want := range map[string]int{"removed": 1, "replaced": MaxPrompts, "too many": 1, "start": 1, "another start": 1, "kept": 0} {
		if freed[name] != want {
			t.Errorf("%s: freed %d times, want %d", name, freed[name], want)
		}
	}
}

func TestShortened(t *testing.T) {
	if got := Shortened("a fox"); got != "a fox" {
		t.Error(got)
	}
	if got := []rune(Shortened(strings.Repeat("é", 1000))); len(got) != 301 {
		t.Error(len(got))
	}
}

func TestAdjust(t *testing.T) {
	c := NewComposer()
	first, second := NewImagePrompt(photo(3, 2)), NewImagePrompt(photo(2, 3))
	c.AddPrompt(first)
	c.AddPrompt(second)
	if c.Adjusted() != -1 {
		t.Error("nothing was asked for")
	}
	c.Adjust(second)
	c.RemovePrompt(first)
	if c.Adjusted() != 0 {
		t.Errorf("the second is the first now, but number %d is adjusted", c.Adjusted())
	}
	c.Adjust(second)
	if c.Adjusted() != -1 {
		t.Error("the same press does not hide it")
	}
	c.Adjust(second)
	c.RemovePrompt(second)
	c.AddPrompt(first)
	if c.Adjusted() != -1 {
		t.Error("another image prompt took its place")
	}
}
