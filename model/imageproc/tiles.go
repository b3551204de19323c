package imageproc

import "math"

// tileSize is the side of a tile, in pixels. The image processor brings tiles to the image
// encoder's size.
const tileSize = 256

// longest is how long a picture becomes before its middle is cut out. One whose sides differ by more
// than 64 times is compressed to it, because a strip of one pixel would take gigabytes.
const longest = 64 * tileSize

// Tiling cuts a picture that is not square into square tiles that cover it, up to four in a row or
// a column. From a picture that is nearly square it cuts the square in the middle, as two rows of
// two tiles. It computes what the node IPAdapter Tiled of ComfyUI_IPAdapter_plus does (apply_tiled
// in IPAdapterPlus.py).
type Tiling struct {
	Width, Height int      // of the frame: what the tiles are cut from
	Tiles         [][2]int // left and top, row by row
	square        bool     // the picture's middle is cut out first
	whole         [2]int   // the resized picture's width and height, before the frame is cut from its middle
}

// NewTiling returns the tiles of a picture of width × height pixels.
func NewTiling(width, height int) Tiling {
	var t Tiling
	ratio := float64(height) / float64(width)
	switch {
	case ratio > 0.75 && ratio < 1.33:
		t.square, t.whole = true, [2]int{2 * tileSize, 2 * tileSize}
	case height < width:
		t.whole = [2]int{min(int(float64(tileSize*width)/float64(height)), longest), tileSize}
	default:
		t.whole = [2]int{tileSize, min(int(float64(tileSize*height)/float64(width)), longest)}
	}
	t.Width, t.Height = min(t.whole[0], 4*tileSize), min(t.whole[1], 4*tileSize)
	for _, top := range tileStarts(t.Height) {
		for _, left := range tileStarts(t.Width) {
			t.Tiles = append(t.Tiles, [2]int{left, top})
		}
	}
	return t
}

// tileStarts are where the tiles begin that cover a length. Neighbours overlap by the same number of pixels.
func tileStarts(length int) (list []int) {
	n := (length + tileSize - 1) / tileSize
	overlap := float64(n*tileSize-length) / float64(max(1, n-1))
	for i := range n {
		list = append(list, int(float64(i)*(tileSize-overlap)))
	}
	return list
}

// Cut returns the tiles of a picture of the tiling's size.
func (t Tiling) Cut(m *Image) (tiles []*Image) {
	if t.square {
		side := min(m.Width, m.Height)
		m = m.middle(side, side)
	}
	m = m.Resize(t.whole[0], t.whole[1], Lanczos).middle(t.Width, t.Height)
	for _, at := range t.Tiles {
		tiles = append(tiles, m.cut(at[0], at[1], tileSize, tileSize))
	}
	return tiles
}

// middle is torchvision's CenterCrop of a picture that is at least as large.
func (m *Image) middle(width, height int) *Image {
	if m.Width == width && m.Height == height {
		return m
	}
	half := func(n int) int { return int(math.RoundToEven(float64(n) / 2)) }
	return m.cut(half(m.Width-width), half(m.Height-height), width, height)
}

// Place is a tile's mask in the result, [h, w] in 0..1. It is a mask of the frame that is 1 in the
// tile, resized to h × w places by torch's interpolate in mode "bilinear".
func (t Tiling) Place(tile, h, w int) []float32 {
	columns, rows := inTile(t.Tiles[tile][0], t.Width, w), inTile(t.Tiles[tile][1], t.Height, h)
	place := make([]float32, 0, h*w)
	for _, y := range rows {
		for _, x := range columns {
			place = append(place, y*x)
		}
	}
	return place
}

// inTile interpolates, at n places along a length, what is 1 from start to a tile's end and 0 elsewhere.
func inTile(start, length, n int) []float32 {
	inside := func(i int) float32 {
		if i = min(i, length-1); i >= start && i < start+tileSize {
			return 1
		}
		return 0
	}
	list := make([]float32, n)
	for i := range list {
		at := max(0, (float32(i)+0.5)*float32(length)/float32(n)-0.5)
		low := int(at)
		part := at - float32(low)
		list[i] = (1-part)*inside(low) + part*inside(low+1)
	}
	return list
}
