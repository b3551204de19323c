package gpu

import (
	"strconv"
	"strings"
)

// MemoryWork is the key of all work that takes as long as its bytes take to be read and
// written: norms, copies, and everything else that is neither a product nor attention.
const MemoryWork = "memory"

// Work is how much a program does, split into kinds that each have a pace of their own. Products
// and attention have the keys of Kernels.Choice, and count floating-point operations. All else has
// the key MemoryWork, and counts bytes.
type Work map[string]float64

// Work adds up the program's dispatches.
func (p *Program) Work() Work {
	w := Work{}
	for _, d := range p.dispatches {
		key, amount := d.Work()
		w[key] += amount
	}
	return w
}

// Work is the key of a dispatch in Program.Work, and how much it does.
func (d Dispatch) Work() (key string, amount float64) {
	param := func(name string) int {
		for _, p := range d.Params {
			if p.Name == name {
				n, _ := p.Value.(int)
				return n
			}
		}
		return 0
	}
	switch {
	case strings.HasPrefix(d.Kernel, "conv2d") && d.Kernel != "conv2d_sum":
		class, shape := "linear", "large"
		if param("ksize") > 1 {
			class = "conv"
		}
		if (convTile{mv: 2, nv: 2}).tiles(param("m")*param("phases"), 2*param("pairs")) < fewGroups {
			shape = "small"
		}
		return class + "/" + shape, d.Cost
	case strings.HasPrefix(d.Kernel, "attention"):
		size := 4 * param("quads")
		for _, shape := range shapes[AttentionClass] {
			key = "attention/" + shape
			if n, _ := strconv.Atoi(shape); size <= n {
				break
			}
		}
		return key, d.Cost
	}
	return MemoryWork, float64(d.Bytes())
}
