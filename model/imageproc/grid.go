package imageproc

// Grid is a picture cut into overlapping tiles of one size, which are drawn one by one and put together again.
//
// Source: what AUTOMATIC1111's web UI does in modules/images.py (split_grid, combine_grid).
type Grid struct {
	Width, Height         int // of the whole picture
	TileWidth, TileHeight int
	Overlap               int      // over how many pixels tiles are blended
	Places                [][2]int // x and y of each tile, row by row
}

// NewGrid lays tiles of a size over a picture, as evenly as possible. Neighbours overlap by at least overlap pixels, which
// have to be fewer than a tile has.
func NewGrid(width, height, tile, overlap int) Grid {
	g := Grid{Width: width, Height: height, TileWidth: min(tile, width), TileHeight: min(tile, height), Overlap: overlap}
	for _, y := range along(height, g.TileHeight, overlap) {
		for _, x := range along(width, g.TileWidth, overlap) {
			g.Places = append(g.Places, [2]int{x, y})
		}
	}
	return g
}

// along is where tiles begin that cover so many pixels.
func along(pixels, tile, overlap int) []int {
	count := 1
	if pixels > tile {
		count = (pixels - overlap + tile - overlap - 1) / (tile - overlap)
	}
	list := make([]int, count)
	for i := 1; i < count; i++ {
		list[i] = i * (pixels - tile) / (count - 1)
	}
	return list
}

// Cut returns a tile of the picture.
func (g Grid) Cut(m *Image, tile int) *Image {
	return m.cut(g.Places[tile][0], g.Places[tile][1], g.TileWidth, g.TileHeight)
}

// Combine puts the tiles together. What fades in at a tile's upper and left border is the tile over its neighbours.
func (g Grid) Combine(tiles []*Image) *Image {
	out := newImage(g.Width, g.Height, 3)
	for first := 0; first < len(tiles); {
		top := g.Places[first][1]
		row := newImage(g.Width, g.TileHeight, 3)
		for ; first < len(tiles) && g.Places[first][1] == top; first++ {
			left := g.Places[first][0]
			for y := range g.TileHeight {
				for x := range g.TileWidth {
					fade(row, left+x, y, tiles[first], x, y, g.opacity(left, x))
				}
			}
		}
		for y := range g.TileHeight {
			for x := range g.Width {
				fade(out, x, top+y, row, x, y, g.opacity(top, y))
			}
		}
	}
	return out
}

// opacity is that of a tile's column or row i, of 255, if the tile begins at a place.
func (g Grid) opacity(at, i int) int {
	if at == 0 || i >= g.Overlap {
		return 255
	}
	return i * 255 / g.Overlap
}

// fade lays a pixel over another one, as PIL's Image.paste does with a mask.
func fade(to *Image, x, y int, from *Image, fromX, fromY, opacity int) {
	a, b := to.Pix[3*(y*to.Width+x):][:3], from.Pix[3*(fromY*from.Width+fromX):][:3]
	for c := range a {
		v := int(a[c])*(255-opacity) + int(b[c])*opacity + 128
		a[c] = uint8((v>>8 + v) >> 8)
	}
}
