package vae

// Tiles is a picture, or latents, that a half of an autoencoder reads in overlapping tiles, so that its
// memory depends on the size of a tile. What it makes of the tiles is blended where they overlap.
//
//	tiles := v.DecodeTiles(h, w)
//	for _, t := range tiles.List {
//		tiles.Add(t, decode(tiles.Cut(latents, t)))
//	}
//	picture := tiles.Whole
//
// Source: tiled_decode and _tiled_encode of diffusers' AutoencoderKL, and _tiled_decode and
// _tiled_encode of its AutoencoderTiny.
type Tiles struct {
	List []Tile // row by row
	// Height and Width are the size of the largest tile.
	Height, Width int
	// Whole is what Add has put together, [H, W, C].
	Whole []float32

	height, width int // of what is read
	stride        int // from a tile to the next one
	overlap       int // of two tiles
	scale         ratio
	tiny          bool    // whether they are blended as AutoencoderTiny does it
	above, row    []piece // what was made of the row of tiles before, and of this row so far
}

// Tile is a place in what is read.
type Tile struct{ Y, X, Height, Width int }

// ratio is how large what is made is, beside what is read. One of the two numbers is 1.
type ratio struct{ times, over int }

func (r ratio) of(n int) int { return n * r.times / r.over }

// piece is what was made of a tile, [height, width, C].
type piece struct {
	height, width int
	values        []float32
}

// DecodeTiles cuts latents of h × w.
func (v *VAE) DecodeTiles(h, w int) *Tiles {
	return v.tiles(h, w, 1, ratio{v.Config.Factor(), 1})
}

// EncodeTiles cuts a picture of h × w pixels.
func (v *VAE) EncodeTiles(h, w int) *Tiles {
	f := v.Config.Factor()
	return v.tiles(h, w, f, ratio{1, f})
}

// tiles cuts what is h × w, which has unit numbers in each direction where the latents have one.
func (v *VAE) tiles(h, w, unit int, scale ratio) *Tiles {
	tile, overlap := v.Tile, v.Tile/4 // tile_overlap_factor
	if v.Config.Tiny {
		overlap = v.Tile / 8
	} else if h <= tile*unit && w <= tile*unit {
		tile, overlap = max(h, w), 0 // AutoencoderKL does not cut what is no larger than a tile
	}
	t := &Tiles{height: h, width: w, stride: (tile - overlap) * unit, overlap: overlap * unit, scale: scale, tiny: v.Config.Tiny}
	tile *= unit
	for y := 0; y < h; y += t.stride {
		for x := 0; x < w; x += t.stride {
			t.List = append(t.List, Tile{y, x, min(tile, h-y), min(tile, w-x)})
		}
	}
	t.Height, t.Width = min(tile, h), min(tile, w)
	return t
}

// Cut returns a tile of what is read, [H, W, C], as [height, width, C].
func (t *Tiles) Cut(whole []float32, tile Tile) []float32 {
	channels := len(whole) / (t.height * t.width)
	out := make([]float32, 0, tile.Height*tile.Width*channels)
	for y := range tile.Height {
		from := ((tile.Y+y)*t.width + tile.X) * channels
		out = append(out, whole[from:from+tile.Width*channels]...)
	}
	return out
}

// Add puts what was made of a tile, [height, width, C], into Whole. It takes the tiles in the order of
// List, and changes values.
func (t *Tiles) Add(tile Tile, values []float32) {
	p := piece{t.scale.of(tile.Height), t.scale.of(tile.Width), values}
	if t.Whole == nil {
		channels := len(values) / (p.height * p.width)
		t.Whole = make([]float32, t.scale.of(t.height)*t.scale.of(t.width)*channels)
	}
	if t.tiny {
		t.fade(tile, p)
		return
	}
	if tile.X == 0 {
		t.above, t.row = t.row, nil
	}
	extent := t.scale.of(t.overlap)
	if tile.Y > 0 {
		p.blendBelow(t.above[len(t.row)], extent)
	}
	if tile.X > 0 {
		p.blendBeside(t.row[len(t.row)-1], extent)
	}
	t.row = append(t.row, p)
	// What lies beyond the stride is blended into the next tiles.
	limit := t.scale.of(t.stride)
	for y := range min(limit, p.height) {
		copy(t.line(tile, y), p.line(y)[:min(limit, p.width)*p.channels()])
	}
}

// line is line y of what is made of a tile, in Whole, up to the end of the line there.
func (t *Tiles) line(tile Tile, y int) []float32 {
	width := t.scale.of(t.width)
	channels := len(t.Whole) / (t.scale.of(t.height) * width)
	line := t.Whole[(t.scale.of(tile.Y)+y)*width*channels:][:width*channels]
	return line[t.scale.of(tile.X)*channels:]
}

func (p piece) channels() int { return len(p.values) / (p.height * p.width) }

// line is line y.
func (p piece) line(y int) []float32 {
	n := p.width * p.channels()
	return p.values[y*n : (y+1)*n]
}

// blendBelow blends the first lines of p with the last ones of the piece above it (blend_v).
func (p piece) blendBelow(above piece, extent int) {
	extent = min(above.height, p.height, extent)
	for y := range extent {
		blend(above.line(above.height-extent+y), p.line(y), float32(y)/float32(extent))
	}
}

// blendBeside blends the first columns of p with the last ones of the piece at its left (blend_h).
func (p piece) blendBeside(left piece, extent int) {
	extent = min(left.width, p.width, extent)
	c := p.channels()
	for y := range p.height {
		a, b := left.line(y)[(left.width-extent)*c:], p.line(y)
		for x := range extent {
			blend(a[x*c:(x+1)*c], b[x*c:(x+1)*c], float32(x)/float32(extent))
		}
	}
}

// blend mixes a into b, which has the given share.
func blend(a, b []float32, share float32) {
	for i := range b {
		b[i] = a[i]*(1-share) + b[i]*share
	}
}

// fade lays a piece over what is in Whole already, as AutoencoderTiny does it.
func (t *Tiles) fade(tile Tile, p piece) {
	extent := t.scale.of(t.overlap)
	share := func(at, i int) float32 {
		if at == 0 {
			return 1
		}
		return min(float32(i)/float32(extent-1), 1)
	}
	c := p.channels()
	for y := range p.height {
		under, line := t.line(tile, y), p.line(y)
		for x := range p.width {
			blend(under[x*c:(x+1)*c], line[x*c:(x+1)*c], share(tile.Y, y)*share(tile.X, x))
		}
		copy(under, line)
	}
}
