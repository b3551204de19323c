package guides

import (
	"slices"

	"github.com/imprompt/imprompt/gpu"
)

// Lambda is how strongly a guide steers: λ by layer, in which of the steps, and where in
// the picture. What a layer is depends on the guide; for those that speak to the UNet's
// cross-attentions it is one of those, and Layers makes the list.
type Lambda struct {
	Layers []float64 // λ by layer
	// Start and End are the fractions of the steps between which λ holds. Before and after
	// them λ is 0, as with diffusers' control_guidance_start and control_guidance_end.
	Start, End float64
	// Mask gives the weight of every place in the picture, for a layer of h rows of w
	// places. It is nil for 1 everywhere.
	Mask func(h, w int) []float32
	// Opposed says, by layer, where the guide works in the negative prompt's branch in place of the
	// prompt's. nil means nowhere. Only an image prompt reads it.
	Opposed []bool
}

// Active says which of the steps are between two fractions of them, as diffusers' control_guidance_start and
// control_guidance_end do.
func Active(start, end float64, steps int) []bool {
	list := make([]bool, steps)
	for i := range list {
		list[i] = float64(i)/float64(steps) >= start && float64(i+1)/float64(steps) <= end
	}
	return list
}

// Table is λ by step and layer.
func (l Lambda) Table(steps int) [][]float32 {
	table := make([][]float32, steps)
	active := Active(l.Start, l.End, steps)
	for step := range table {
		table[step] = make([]float32, len(l.Layers))
		if !active[step] {
			continue
		}
		for i, v := range l.Layers {
			table[step][i] = float32(v)
		}
	}
	return table
}

// Tensor is Table on the GPU, F32 [steps, layers], in a persistent tensor that the caller
// releases.
func (l Lambda) Tensor(d *gpu.Device, steps int) *gpu.Tensor {
	t := d.NewTensor("lambda", gpu.F32, steps, len(l.Layers))
	t.SetFloat32(slices.Concat(l.Table(steps)...))
	return t
}
