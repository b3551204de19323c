package state

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
)

// fakeBrowser decodes texts as pictures of 300 × 100 pixels.
type fakeBrowser struct{}

func (fakeBrowser) Admit(name string, bytes any) (*Picture, error) {
	if bytes == "damaged" {
		return nil, errors.New(name + " is damaged")
	}
	return &Picture{Name: name, Width: 300, Height: 100, Bytes: bytes}, nil
}

func (fakeBrowser) Bitmap(png any) (any, error) { return fmt.Sprint("bitmap of ", png), nil }

// fakeStore keeps results for the length of a test.
type fakeStore map[float64]*Result

func (m fakeStore) List() (list []*Result, err error) {
	for i := len(m); i > 0; i-- {
		r := *m[float64(i)]
		r.Inputs, r.Kept = nil, map[string]string{}
		for name := range m[float64(i)].Inputs {
			r.Kept[name] = "hash"
		}
		list = append(list, &r)
	}
	return list, nil
}

func (m fakeStore) Keep(r *Result) (float64, map[string]string, error) {
	m[float64(len(m)+1)] = r
	return float64(len(m)), nil, nil
}

func (m fakeStore) Inputs(r *Result) (map[string]any, error) {
	if m[r.Key] == nil {
		return nil, errors.New("the store was cleared")
	}
	return m[r.Key].Inputs, nil
}

func (m fakeStore) Get(key float64) (*Result, error) { return m[key], nil }

func (m fakeStore) Hide(float64, bool) error { return nil }

func (m fakeStore) Star(float64, bool) error { return nil }

func (m fakeStore) Score(float64, Score) error { return nil }

func (m fakeStore) Forget(key float64) error {
	delete(m, key)
	return nil
}

// made returns the result of a composition with two image prompts and a start picture, as the worker would.
func made(t *testing.T) (*Composer, *Result) {
	c := NewComposer()
	c.SetSeed(7)
	c.Settings.Prompt = "a fox"
	c.AddPrompt(NewImagePrompt(pictureNamed("fox.png")))
	c.AddPrompt(NewImagePrompt(pictureNamed("with-dashes.png")))
	c.Prompts[0].Scale, c.Prompts[0].Layers = 0.4, settings.LayersStyle
	c.Prompts[0].SetEnd(0.5)
	c.Prompts[1].Crop.ZoomTo(2)
	c.Prompts[1].Crop.Move(40, 10)
	c.Prompts[1].Mask.All()
	c.SetStart(pictureNamed("room.png"))
	c.StartMask.All()
	request := c.ForPicture("", []Adapter{{ID: "plus"}})
	inputs := map[string]any{}
	for name, in := range request.Inputs {
		inputs[name] = in.Bytes
		if in.Mask != nil {
			inputs[name] = "png of a mask"
		}
	}
	s := request.Jobs[0]
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	return c, &Result{Settings: s, Inputs: inputs}
}

func TestRestore(t *testing.T) {
	s := settings.Default()
	s.Prompt, s.Seed, s.Model, s.InitImage, s.Mask, s.Scheduler = "words", 5, "sd", "start-a.png", "mask-start.png", ""
	a := settings.DefaultIPAdapter()
	s.Guides = settings.Guides{&a}
	c := NewComposer()
	c.Problems[AtGo] = Problem{Text: "of an earlier request"}
	c.Restore(s)
	if c.Settings.Prompt != "words" || c.Settings.Seed != 5 || !c.SeedLocked {
		t.Errorf("the words or the seed were not taken over: %+v", c.Settings)
	}
	if c.Settings.Scheduler != "pndm" {
		t.Errorf("the model's own scheduler is shown as %q", c.Settings.Scheduler)
	}
	if len(c.Problems) > 0 {
		t.Errorf("problems of before: %v", c.Problems)
	}
	// Nothing of the pictures that are not there goes into the next request.
	if next := c.ForPicture("", nil).Jobs[0]; next.InitImage != "" || next.Mask != "" || len(next.IPAdapters()) > 0 || next.Model != "" {
		t.Errorf("the next request is %+v", next)
	}
}

func TestRestoreResult(t *testing.T) {
	check := func(t *testing.T, c *Composer, r *Result, store Store) {
		t.Helper()
		pictures, err := r.Pictures(store, fakeBrowser{})
		if err != nil {
			t.Fatal(err)
		}
		again := NewComposer()
		again.Restore(r.Settings)
		again.RestorePictures(pictures)
		request := again.ForPicture("", []Adapter{{ID: "plus"}})
		if !reflect.DeepEqual(request.Jobs[0], r.Settings) {
			t.Errorf("the settings came back as\n%+v, not\n%+v", request.Jobs[0], r.Settings)
		}
		for name, in := range request.Inputs {
			if in.Mask != nil && in.Mask.Base.Bitmap != "bitmap of png of a mask" || in.Mask == nil && in.Bytes != r.Inputs[name] && r.Inputs != nil {
				t.Errorf("the input %s came back as %+v", name, in)
			}
		}
		if names := again.Prompts[0].Name + ", " + again.Prompts[1].Name; names != "fox.png, with-dashes.png" {
			t.Errorf("the pictures are called %s", names)
		}
		if again.Prompts[1].Crop.Square() != c.Prompts[1].Crop.Square() {
			t.Errorf("the crop came back as %+v", again.Prompts[1].Crop)
		}
	}
	t.Run("in the visit in which it was made", func(t *testing.T) {
		c, r := made(t)
		check(t, c, r, nil)
	})
	t.Run("from the store, in a later visit", func(t *testing.T) {
		c, r := made(t)
		store := fakeStore{}
		key, _, _ := store.Keep(r)
		list, _ := store.List()
		list[0].Key = key
		check(t, c, list[0], store)
	})
	t.Run("fails with the store's words", func(t *testing.T) {
		_, r := made(t)
		r.Kept, r.Inputs = map[string]string{"1-fox.png": "hash"}, nil
		if _, err := r.Pictures(fakeStore{}, fakeBrowser{}); err == nil || err.Error() != "the store was cleared" {
			t.Errorf("%v", err)
		}
	})
	for _, c := range []struct{ name, input, want string }{
		{"fails where an image prompt is missing", "1-fox.png", "1-fox.png is not stored here"},
		{"fails where its mask is missing", "mask-2.png", "the mask mask-2.png is not stored here"},
		{"fails where the start picture is missing", "start-room.png", "start-room.png is not stored here"},
		{"fails where the start picture's mask is missing", "mask-start.png", "the mask mask-start.png is not stored here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, r := made(t)
			delete(r.Inputs, c.input)
			if _, err := r.Pictures(nil, fakeBrowser{}); err == nil || err.Error() != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
	t.Run("fails where a picture cannot be decoded any more", func(t *testing.T) {
		_, r := made(t)
		r.Inputs["1-fox.png"] = "damaged"
		if _, err := r.Pictures(nil, fakeBrowser{}); err == nil || err.Error() != "fox.png is damaged" {
			t.Errorf("%v", err)
		}
	})
	t.Run("a result of words alone has no pictures", func(t *testing.T) {
		p, err := resultOf("a fox", 1).Pictures(nil, nil)
		if err != nil || len(p.Prompts) > 0 || p.Start != nil {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

func TestRestoreFile(t *testing.T) {
	t.Run("says what was left out", func(t *testing.T) {
		note := NewComposer().RestoreFile("a.png", settings.Default(), []string{"Clip skip: 2", "the model sdxl, which is not here (see Models)"})
		if want := "Settings restored from a.png, except for: Clip skip: 2; the model sdxl, which is not here (see Models)."; note != want {
			t.Errorf("%q, want %q", note, want)
		}
	})
	t.Run("gives the image prompts that are here what it says of its own", func(t *testing.T) {
		_, r := made(t)
		c := NewComposer()
		c.AddPrompt(NewImagePrompt(pictureNamed("other.png")))
		note := c.RestoreFile("a.png", r.Settings, nil)
		if im := c.Prompts[0]; im.Scale != 0.4 || im.Layers != settings.LayersStyle || im.End != 0.5 || im.Adapter != "plus" || im.Name != "other.png" {
			t.Errorf("the image prompt is %+v", im)
		}
		if !strings.HasPrefix(note, "Settings restored from a.png.") || !strings.Contains(note, "Add its image prompts again") {
			t.Errorf("%q does not say that one is missing", note)
		}
	})
}

func TestFind(t *testing.T) {
	_, r := made(t)
	var g Gallery
	g.Restored([]*Result{resultOf("a fox", 7), r})
	secret := resultOf("a fox", 8)
	secret.Settings.Guides = settings.Guides{&settings.IPAdapter{Weights: "https://hub/a.safetensors?token=secret"}}
	g.Results = append(g.Results, secret)
	if g.FindMadeFrom(secret.Settings.Public()) != secret {
		t.Error("a result is not found by the settings in its file")
	}
	if g.FindMadeFrom(r.Settings) != r {
		t.Error("the result was not found by its settings")
	}
	other := r.Settings
	other.Seed++
	if g.FindMadeFrom(other) != nil {
		t.Error("a result with another seed was found")
	}
	if g.FindMadeFrom(resultOf("a fox", 7).Settings) != nil {
		t.Error("settings without pictures need no result")
	}
}
