package gpu

// convTile says how conv2d.wgsl divides the work: how many times four pixels (mv) and four
// channels (nv) a thread computes, and into how many slices the sums are cut.
type convTile struct{ mv, nv, slices int }

// convPass is how many input channels the kernel loads into workgroup memory at a time.
const convPass = 16

// rows and columns are the numbers of workgroups for m pixels and n packed channels.
func (t convTile) rows(m int) int     { return (m + 32*t.mv - 1) / (32 * t.mv) }
func (t convTile) columns(n int) int  { return (n + 32*t.nv - 1) / (32 * t.nv) }
func (t convTile) tiles(m, n int) int { return t.rows(m) * t.columns(n) }

// passes is how many times the kernel loads tiles into workgroup memory.
func (w *ConvWeight) passes() int { return w.Size * w.Size * ((w.In + convPass - 1) / convPass) }

// enoughGroups is the number of workgroups that keeps a large GPU busy.
const enoughGroups = 256

// fewestPasses is the least number of passes for which a slice is worth its overhead.
const fewestPasses = 8

// chooseConvTile chooses the tile and the number of slices with the lowest gpuCost.
func chooseConvTile(m int, w *ConvWeight) convTile {
	var best convTile
	least := 0.0
	for _, t := range []convTile{{2, 2, 1}, {1, 2, 1}, {1, 1, 1}} {
		if w.geglu && t.nv < 2 {
			continue // a tile has to hold both values and gates
		}
		for ; t.slices <= 16; t.slices *= 2 {
			if t.slices > 1 && (w.geglu || w.passes()/t.slices < fewestPasses) {
				break
			}
			if c := t.gpuCost(m, w); best.mv == 0 || c < least {
				best, least = t, c
			}
		}
	}
	return best
}

// gpuCost estimates how long a GPU takes, in multiplications: the products of whole tiles,
// divided by the share of the chip's peak that the tile reaches on RDNA3 (wgsl/cost.json)
// and by the share of a large GPU that has work. With slices it adds the time to write and
// read their sums, at 20 operations per byte.
func (t convTile) gpuCost(m int, w *ConvWeight) float64 {
	share := map[[2]int]float64{{2, 2}: 0.75, {1, 2}: 0.61, {1, 1}: 0.51}[[2]int{t.mv, t.nv}]
	tiles := t.tiles(m, w.used())
	busy := min(1, float64(tiles*t.slices)/enoughGroups)
	outputs := float64(tiles * 32 * t.mv * 32 * t.nv)
	cost := outputs * float64(w.In*w.Size*w.Size) / (share * busy)
	if t.slices > 1 {
		cost += float64(m*w.Out) * float64(8*t.slices) * 20 / 2
	}
	return cost
}
