package imageproc

import (
	"encoding/json"
	"hash/crc32"
	"os"
	"slices"
	"testing"
)

// overlayReference is what tests/reference/overlay.py wrote.
type overlayReference struct {
	Resize []struct {
		From [3]int
		To   [2]int
		Mode ResizeMode
		CRC  uint32
	}
	Overlay struct {
		Size [2]int
		Part [4]int // left, top, right, bottom
		CRC  uint32
	}
}

func readOverlay(t *testing.T) (r overlayReference) {
	t.Helper()
	text, err := os.ReadFile(fixtures + "overlay.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFitEqualsDiffusers(t *testing.T) {
	for _, tc := range readOverlay(t).Resize {
		m := pattern(tc.From[0], tc.From[1], tc.From[2], true).Fit(tc.To[0], tc.To[1], tc.Mode)
		if m.Width != tc.To[0] || m.Height != tc.To[1] || crc32.ChecksumIEEE(m.Pix) != tc.CRC {
			t.Errorf("%v to %v, %s: pixels differ from diffusers'", tc.From, tc.To, tc.Mode)
		}
	}
}

func TestFillBorders(t *testing.T) {
	m := pattern(16, 8, 3, true)
	mask := m.FillBorders(16, 16)
	for i, v := range mask {
		if y := i / 16; v != 1 && (y < 4 || y >= 12) || v != 0 && y >= 4 && y < 12 {
			t.Fatalf("row %d has %g", y, v)
		}
	}
	if slices.Contains(m.FillBorders(64, 32), 1) {
		t.Error("a picture of the same proportions has borders")
	}
}

// Borders on all sides are what diffusers fills in two steps: those above and below, and then those to the left and the right.
func TestExtend(t *testing.T) {
	m := pattern(24, 16, 3, true)
	steps := m.Fit(24, 28, ResizeFill).Fit(34, 28, ResizeFill)
	got := m.Extend(Borders{5, 6, 5, 6})
	if got.Width != 34 || got.Height != 28 || !slices.Equal(got.Pix, steps.Pix) {
		t.Error("equal borders differ from two steps of diffusers'")
	}
	// Each border is as if it were alone, apart from the corners.
	odd := m.Extend(Borders{Left: 3, Bottom: 8})
	if odd.Width != 27 || odd.Height != 24 || !slices.Equal(odd.cut(3, 0, 24, 16).Pix, m.Pix) || !slices.Equal(odd.cut(3, 16, 24, 8).Pix, got.cut(5, 22, 24, 1).repeated(8)) {
		t.Error("the picture with a border to the left and one below differs")
	}
	mask := ExtendMask([]float32{0, 0.5}, 1, 2, Borders{Left: 1, Bottom: 1})
	if !slices.Equal(mask, []float32{1, 0, 0.5, 1, 1, 1}) {
		t.Errorf("the mask is %v", mask)
	}
	if same := m.Fit(24, 16, ResizeCrop).Extend(Borders{}); !slices.Equal(same.Pix, m.Pix) {
		t.Error("a picture of its own size without borders changes")
	}
}

// repeated are the pixels of a row, several times.
func (m *Image) repeated(times int) []uint8 { return slices.Repeat(m.Pix, times) }

func TestOverlayEqualsDiffusers(t *testing.T) {
	r := readOverlay(t).Overlay
	width, height := r.Size[0], r.Size[1]
	mask := make([]float32, width*height)
	for y := r.Part[1]; y < r.Part[3]; y++ {
		for x := r.Part[0]; x < r.Part[2]; x++ {
			mask[y*width+x] = 1
		}
	}
	made := pattern(width, height, 3, true)
	Overlay(made, pattern(width, height, 3, false), Feather(mask, height, width, 0))
	if crc32.ChecksumIEEE(made.Pix) != r.CRC {
		t.Error("pixels differ from diffusers'")
	}
}

// The distances are those to the nearest pixel outside of the mask, and none is outside of the picture.
func TestFeather(t *testing.T) {
	const width, height, feather = 40, 24, 4
	mask := make([]float32, width*height)
	for i := range mask {
		if x, y := i%width, i/width; x >= 20 || y >= 16 && x < 10 || x == 14 && y == 12 {
			mask[i] = 1
		}
	}
	got := Feather(mask, height, width, feather)
	for i, m := range mask {
		least := (feather + 1) * (feather + 1)
		for j, other := range mask {
			dx, dy := i%width-j%width, i/width-j/width
			if other == 0 {
				least = min(least, dx*dx+dy*dy)
			}
		}
		if m == 0 {
			least = 0
		}
		if a := float64(got[i]) * (feather + 1); int(a*a+0.5) != least {
			t.Fatalf("(%d, %d): %g squared is not %d", i%width, i/width, a, least)
		}
	}
	if !slices.Equal(Feather(mask, height, width, 0), mask) {
		t.Error("without a feather it is not the mask itself")
	}
}
