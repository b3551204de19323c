package gpu

import (
	"math"
	"strconv"
	"strings"
)

// MemoryWork is the key of all work that takes as long as its bytes take to be read and
// written: norms, copies, and what else is neither a product nor attention.
const MemoryWork = "memory"

// Work is how much a program does, by what it is done at the same pace: by the keys of
// Kernels.Choice of products and attention, in floating-point operations, and by MemoryWork, in
// bytes.
type Work map[string]float64

// Work adds up the program's dispatches.
func (p *Program) Work() Work {
	w := Work{}
	for _, d := range p.dispatches {
		key, amount := d.work()
		w[key] += amount
	}
	return w
}

// work is the key of a dispatch in Work, and how much it does.
func (d Dispatch) work() (key string, amount float64) {
	params := map[string]int{}
	for _, p := range d.Params {
		params[p.Name], _ = p.Value.(int)
	}
	switch {
	case d.Kernel == "conv2d_sum":
	case strings.HasPrefix(d.Kernel, "conv2d"):
		class, shape := LinearClass, "large"
		if params["ksize"] > 1 {
			class = ConvClass
		}
		if (convTile{mv: 2, nv: 2}).tiles(params["m"]*params["phases"], 2*params["pairs"]) < fewGroups {
			shape = "small"
		}
		return string(class) + "/" + shape, d.Cost
	case strings.HasPrefix(d.Kernel, "attention"):
		nearest, distance := "", math.Inf(1)
		for _, shape := range shapes[AttentionClass] {
			size, _ := strconv.Atoi(shape) // they are all numbers
			if far := math.Abs(float64(size - 4*params["quads"])); far < distance {
				nearest, distance = shape, far
			}
		}
		return string(AttentionClass) + "/" + nearest, d.Cost
	}
	return MemoryWork, float64(d.Bytes())
}
