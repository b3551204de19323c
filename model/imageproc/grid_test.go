package imageproc

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"testing"
)

// Tiles lie where AUTOMATIC1111's web UI lays them, and PIL puts them together to the same pixels:
// tests/reference/grid.py.
func TestGrid(t *testing.T) {
	b, err := os.ReadFile("../../tests/fixtures/imageproc/grid.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Size   [4]int
		Places [][2]int
		SHA256 string
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		g := NewGrid(c.Size[0], c.Size[1], c.Size[2], c.Size[3])
		if !slices.Equal(g.Places, c.Places) {
			t.Errorf("%v: the tiles lie at %v, not at %v", c.Size, g.Places, c.Places)
			continue
		}
		var tiles []*Image
		for _, p := range g.Places {
			m := &Image{Width: g.TileWidth, Height: g.TileHeight, Channels: 3}
			for i := range 3 * g.TileWidth * g.TileHeight {
				m.Pix = append(m.Pix, uint8(7*p[0]+13*p[1]+5*i+11*(i/(3*g.TileWidth))+3*p[0]*i))
			}
			tiles = append(tiles, m)
		}
		sum := sha256.Sum256(g.Combine(tiles).Pix)
		if hex.EncodeToString(sum[:]) != c.SHA256 {
			t.Errorf("%v: the picture has other pixels", c.Size)
		}
		// What was not drawn again is the picture itself.
		whole := g.Combine(tiles)
		for i := range tiles {
			tiles[i] = g.Cut(whole, i)
		}
		if !slices.Equal(g.Combine(tiles).Pix, whole.Pix) {
			t.Errorf("%v: tiles of one picture give another one", c.Size)
		}
	}
}
