package state

import (
	"fmt"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
)

func (c *Composer) size() string { return fmt.Sprintf("%d × %d", c.Settings.Width, c.Settings.Height) }

func photo(width, height int) *Picture {
	return &Picture{Name: "photo.jpg", Width: width, Height: height}
}

// The result takes a start picture's proportions, with about the area that was chosen, and gives them back.
func TestStartPictureKeepsItsShape(t *testing.T) {
	for _, tc := range []struct {
		width, height int
		want          string
	}{
		{512, 512, "512 × 512"}, {6000, 4000, "624 × 416"}, {4000, 6000, "416 × 624"}, {1920, 1080, "680 × 384"}, {300, 301, "512 × 512"}, {10000, 100, "1024 × 64"},
	} {
		c := NewComposer()
		c.SuitModel(512)
		c.SetStart(photo(tc.width, tc.height))
		if c.size() != tc.want {
			t.Errorf("%d × %d gives %s, not %s", tc.width, tc.height, c.size(), tc.want)
		}
		if got := c.ForPicture("", nil).Jobs[0]; got.ResizeMode != settings.ResizeCrop {
			t.Errorf("the last pixels are handled by %q", got.ResizeMode)
		}
		c.SetStart(nil)
		if c.size() != "512 × 512" || c.ForPicture("", nil).Jobs[0].ResizeMode != "" {
			t.Errorf("without it the size is %s", c.size())
		}
	}
}

func TestSizeFollowsTheShape(t *testing.T) {
	c := NewComposer()
	c.SuitModel(512)
	c.SetStart(photo(1500, 1000))
	c.SetWidth(768)
	if c.size() != "768 × 512" {
		t.Errorf("after the width: %s", c.size())
	}
	c.SetHeight(256)
	if c.size() != "384 × 256" {
		t.Errorf("after the height: %s", c.size())
	}
	c.SuitModel(768) // another model was chosen
	if c.size() != "936 × 624" && c.size() != "944 × 632" {
		t.Errorf("for another model: %s", c.size())
	}
	c.SetHeight(320)
	c.SetStart(nil)
	if c.size() != "480 × 320" {
		t.Errorf("a size that was chosen does not stay: %s", c.size())
	}
}

// The other ways leave the size as it is, and are said in the settings.
func TestOtherShapes(t *testing.T) {
	c := NewComposer()
	c.SuitModel(512)
	c.SetStart(photo(1500, 1000))
	for _, mode := range settings.ResizeModes {
		c.SetShape(mode)
		if c.size() != "512 × 512" || c.ForPicture("", nil).Jobs[0].ResizeMode != mode {
			t.Errorf("%s: %s, %q", mode, c.size(), c.ForPicture("", nil).Jobs[0].ResizeMode)
		}
		c.SetWidth(256)
		if c.Settings.Height != 512 {
			t.Errorf("%s: the height follows", mode)
		}
		c.SetWidth(512)
	}
	c.SetShape(KeepShape)
	if c.size() != "624 × 416" {
		t.Errorf("back to its shape: %s", c.size())
	}
	// An older picture was stretched, and is drawn again as it was.
	old := settings.Default()
	old.InitImage = "start-photo.jpg"
	c.Restore(old)
	if c.Settings.ResizeMode != settings.ResizeDefault || c.size() != "512 × 512" {
		t.Errorf("restored as %q, %s", c.Settings.ResizeMode, c.size())
	}
}

func TestAspects(t *testing.T) {
	c := NewComposer()
	want := map[string]string{"1:1": "512 × 512", "4:3": "584 × 440", "3:2": "624 × 416", "16:9": "680 × 384", "3:4": "440 × 584", "2:3": "416 × 624", "9:16": "384 × 680"}
	for _, a := range Aspects {
		c.SetAspect(a, 512)
		if c.size() != want[a.String()] {
			t.Errorf("%v gives %s, not %s", a, c.size(), want[a.String()])
		}
		if got, ok := c.Aspect(512); !ok || got != a {
			t.Errorf("%s is %v, %v", c.size(), got, ok)
		}
	}
	if c.SetAspect(Aspects[0], 0); c.size() != "128 × 128" {
		t.Errorf("the model that ships draws %s", c.size())
	}
	c.Settings.Width = 72
	if _, ok := c.Aspect(0); ok {
		t.Error("72 × 128 is none of them")
	}
}
