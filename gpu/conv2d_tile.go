package gpu

import "strconv"

// convTile says how conv2d.wgsl divides the work: how many times four pixels (mv) and four
// channels (nv) a thread computes, into how many slices the sums are cut, and the variant of
// the kernel.
type convTile struct {
	mv, nv, slices int
	variant        string
	phases         bool // for tests: an upsampling by two in phases
}

// convPass is how many input channels the kernel loads into workgroup memory at a time.
const convPass = 16

// rows and columns are the numbers of workgroups for m pixels and n packed channels.
func (t convTile) rows(m int) int     { return (m + 32*t.mv - 1) / (32 * t.mv) }
func (t convTile) columns(n int) int  { return (n + 32*t.nv - 1) / (32 * t.nv) }
func (t convTile) tiles(m, n int) int { return t.rows(m) * t.columns(n) }

// passes is how many times the kernel loads tiles into workgroup memory.
func (w *ConvWeight) passes() int { return w.Size * w.Size * ((w.In + convPass - 1) / convPass) }

// enoughGroups is the number of workgroups that keeps the device busy.
func (d *Device) enoughGroups() int {
	n, _ := strconv.Atoi(d.kernels.variant(GroupsClass, ""))
	return n
}

// fewGroups is the number of workgroups below which a product counts as small.
const fewGroups = 256

// fewestPasses is the least number of passes for which a slice is worth its overhead.
const fewestPasses = 8

// productVariant is the variant that is chosen for a product. Convolutions that Winograd's
// algorithm does not suit have that of linear layers, as its own products have.
func (d *Device) productVariant(m int, w *ConvWeight) string {
	class, shape := LinearClass, "large"
	if w.Size > 1 {
		class = ConvClass
	}
	if (convTile{mv: 2, nv: 2}).tiles(m, w.used()) < fewGroups {
		shape = "small"
	}
	if name := d.kernels.variant(class, shape); winogradTile(name) == 0 {
		return name
	}
	return d.kernels.variant(LinearClass, shape)
}

// chooseConvTile chooses the tile and the number of slices with the lowest gpuCost. The rolled
// variant does without the largest tile, because its 64 sums take half of a thread's registers on Intel.
func chooseConvTile(enough int, variant string, m int, w *ConvWeight) convTile {
	var best convTile
	least := 0.0
	for _, t := range []convTile{{mv: 2, nv: 2, slices: 1}, {mv: 1, nv: 2, slices: 1}, {mv: 1, nv: 1, slices: 1}} {
		if w.geglu && t.nv < 2 {
			continue // a tile has to hold both values and gates
		}
		if variant == "rolled" && t.mv*t.nv == 4 {
			continue
		}
		for ; t.slices <= 16; t.slices *= 2 {
			if t.slices > 1 && (w.geglu || w.passes()/t.slices < fewestPasses) {
				break
			}
			if c := t.gpuCost(enough, m, w); best.mv == 0 || c < least {
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
func (t convTile) gpuCost(enough, m int, w *ConvWeight) float64 {
	share := map[[2]int]float64{{2, 2}: 0.75, {1, 2}: 0.61, {1, 1}: 0.51}[[2]int{t.mv, t.nv}]
	tiles := t.tiles(m, w.used())
	busy := min(1, float64(tiles*t.slices)/float64(enough))
	outputs := float64(tiles * 32 * t.mv * 32 * t.nv)
	cost := outputs * float64(w.In*w.Size*w.Size) / (share * busy)
	if t.slices > 1 {
		cost += float64(m*w.Out) * float64(8*t.slices) * 20 / 2
	}
	return cost
}
