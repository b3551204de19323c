package imageproc

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// A strip of a few pixels is compressed, and does not become a picture of gigabytes.
func TestTilingOfStrips(t *testing.T) {
	for _, size := range [][2]int{{1 << 16, 1}, {1, 1 << 16}} {
		tiling := NewTiling(size[0], size[1])
		if max(tiling.whole[0], tiling.whole[1]) != longest || len(tiling.Tiles) != 4 {
			t.Errorf("%d × %d: resized to %v for %d tiles", size[0], size[1], tiling.whole, len(tiling.Tiles))
		}
	}
}

// Tiles and their places are those of ComfyUI_IPAdapter_plus: tests/reference/tiled.py.
func TestTiling(t *testing.T) {
	text, err := os.ReadFile("../../tests/fixtures/adapters/tiled.json")
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Tilings []struct {
			Width, Height int
			Tiles         []struct {
				Sum    int
				Pixels []int
			}
			Places [][]struct {
				H, W   int
				Values []float32
			}
		}
	}
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Tilings) < 5 {
		t.Fatalf("the fixture has %d tilings", len(f.Tilings))
	}
	for _, c := range f.Tilings {
		m := newImage(c.Width, c.Height, 3)
		for i := range m.Pix {
			m.Pix[i] = uint8(i * i % 1009)
		}
		tiling := NewTiling(c.Width, c.Height)
		tiles := tiling.Cut(m)
		if len(tiles) != len(c.Tiles) {
			t.Errorf("%d × %d: %d tiles, want %d", c.Width, c.Height, len(tiles), len(c.Tiles))
			continue
		}
		for i, tile := range tiles {
			sum := 0
			for _, v := range tile.Pix {
				sum += int(v)
			}
			if sum != c.Tiles[i].Sum {
				t.Errorf("%d × %d, tile %d: the sum is %d, want %d", c.Width, c.Height, i, sum, c.Tiles[i].Sum)
			}
			for k, want := range c.Tiles[i].Pixels {
				if got := int(tile.Pix[k*9973]); got != want {
					t.Errorf("%d × %d, tile %d: number %d is %d, want %d", c.Width, c.Height, i, k*9973, got, want)
				}
			}
			for _, p := range c.Places[i] {
				for k, got := range tiling.Place(i, p.H, p.W) {
					if math.Abs(float64(got-p.Values[k])) > 1e-4 {
						t.Fatalf("%d × %d, tile %d: place %d of %d × %d is %g, want %g", c.Width, c.Height, i, k, p.H, p.W, got, p.Values[k])
					}
				}
			}
		}
	}
}
