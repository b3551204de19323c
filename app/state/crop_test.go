package state

import (
	"math"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
)

func TestCropSquare(t *testing.T) {
	for _, c := range []struct {
		name string
		crop Crop
		want settings.Crop
	}{
		{"a new crop is the centre of a wide picture", NewCrop(300, 100), settings.Crop{X: 100, Y: 0, Size: 100}},
		{"a new crop is the centre of a tall picture", NewCrop(100, 300), settings.Crop{X: 0, Y: 100, Size: 100}},
		{"zoom 2 halves the shorter side", Crop{Width: 300, Height: 100, X: 0.5, Y: 0.5, Zoom: 2}, settings.Crop{X: 125, Y: 25, Size: 50}},
		{"0 and 1 are the edges", Crop{Width: 300, Height: 100, X: 0, Y: 1, Zoom: 4}, settings.Crop{X: 0, Y: 75, Size: 25}},
		{"a square has at least one pixel", Crop{Width: 2, Height: 2, X: 0.5, Y: 0.5, Zoom: 8}, settings.Crop{X: 1, Y: 1, Size: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.crop.Square(); got != c.want {
				t.Errorf("%+v: the square is %+v, want %+v", c.crop, got, c.want)
			}
		})
	}
}

func TestCropSetting(t *testing.T) {
	t.Run("the centre crop is left to the image processor", func(t *testing.T) {
		if got := NewCrop(300, 200).Setting(); got != nil {
			t.Errorf("an untouched crop is written as %+v", got)
		}
	})
	t.Run("a crop comes back as it was written", func(t *testing.T) {
		for _, size := range [][2]int{{300, 100}, {99, 640}, {1000, 1000}, {4001, 3000}} {
			width, height := size[0], size[1]
			short := min(width, height)
			for side := (short + MaxZoom - 1) / MaxZoom; side < short; side++ {
				want := settings.Crop{X: (width - side) / 3, Y: (height - side) * 4 / 5, Size: side}
				if got := CropOf(&want, width, height).Square(); got != want {
					t.Fatalf("%d × %d: %+v came back as %+v", width, height, want, got)
				}
			}
		}
	})
	t.Run("no crop, and one that is damaged, are the centre", func(t *testing.T) {
		for _, square := range []*settings.Crop{nil, {X: 3, Y: 3}, {X: 1, Y: 1, Size: -5}} {
			if got := CropOf(square, 300, 100); got != NewCrop(300, 100) {
				t.Errorf("%+v is read as %+v", square, got)
			}
		}
	})
	t.Run("a square outside of the picture is moved into it", func(t *testing.T) {
		s := CropOf(&settings.Crop{X: 900, Y: -40, Size: 50}, 300, 100).Square()
		if s.X != 250 || s.Y != 0 {
			t.Errorf("the square is at (%d, %d)", s.X, s.Y)
		}
	})
}

func TestCropMove(t *testing.T) {
	t.Run("by the picture's pixels", func(t *testing.T) {
		c := NewCrop(300, 100)
		c.Move(30, 30)
		if s := c.Square(); s.X != 130 || s.Y != 0 {
			t.Errorf("the square is at (%d, %d), want (130, 0): there is no room to move up or down", s.X, s.Y)
		}
	})
	t.Run("up to the edge and back", func(t *testing.T) {
		c := NewCrop(300, 100)
		c.Move(1e6, 0)
		c.Move(-50, 0)
		if s := c.Square(); s.X != 150 {
			t.Errorf("the square is at %d, want 150", s.X)
		}
	})
}

func TestCropZoom(t *testing.T) {
	middle := func(c Crop) (float64, float64) {
		s := c.Square()
		return float64(s.X) + float64(s.Size)/2, float64(s.Y) + float64(s.Size)/2
	}
	t.Run("keeps the middle", func(t *testing.T) {
		c := NewCrop(900, 600)
		c.Move(70, 0)
		x, y := middle(c)
		c.ZoomTo(3)
		if gx, gy := middle(c); math.Abs(gx-x) > 1 || math.Abs(gy-y) > 1 {
			t.Errorf("the middle moved from (%g, %g) to (%g, %g)", x, y, gx, gy)
		}
	})
	t.Run("stays within 1 and MaxZoom", func(t *testing.T) {
		c := NewCrop(900, 600)
		c.ZoomTo(100)
		if c.Zoom != MaxZoom {
			t.Errorf("the zoom is %g", c.Zoom)
		}
		c.ZoomTo(0.1)
		if c.Zoom != 1 {
			t.Errorf("the zoom is %g", c.Zoom)
		}
	})
	t.Run("the wheel zooms in when it scrolls up", func(t *testing.T) {
		c := NewCrop(900, 600)
		c.Scroll(-500 * math.Ln2)
		if math.Abs(c.Zoom-2) > 1e-9 {
			t.Errorf("the zoom is %g, want 2", c.Zoom)
		}
	})
}

func TestCropKeys(t *testing.T) {
	c := NewCrop(300, 100)
	press := func(names ...string) settings.Crop {
		for _, name := range names {
			if !c.Key(name) {
				t.Errorf("the key %q does nothing", name)
			}
		}
		return c.Square()
	}
	if s := press("ArrowLeft"); s.X != 95 {
		t.Errorf("an arrow moved it to %d, want 95: a twentieth of the shorter side", s.X)
	}
	if s := press("+", "ArrowDown", "ArrowUp", "ArrowRight"); s.Size != 90 {
		t.Errorf("plus made the side %d, want 90", s.Size)
	}
	press("-")
	if press("0"); c != NewCrop(300, 100) {
		t.Errorf("0 did not put it back: %+v", c)
	}
	if c.Key("Tab") {
		t.Error("Tab was taken from the browser")
	}
}

func TestCropFit(t *testing.T) {
	for _, c := range []struct {
		name                string
		width, height, w, h int
	}{
		{"a wide picture has the whole width", 448, 224, 224, 112},
		{"a tall one has at most one and a half of it for its height", 100, 1000, 33, 336},
		{"a thread keeps a pixel", 1, 5000, 1, 336},
	} {
		t.Run(c.name, func(t *testing.T) {
			if w, h, _ := NewCrop(c.width, c.height).Fit(224); w != c.w || h != c.h {
				t.Errorf("%d × %d, want %d × %d", w, h, c.w, c.h)
			}
		})
	}
}
