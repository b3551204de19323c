package guides

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/unet"
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
}

// Table is λ by step and layer.
func (l Lambda) Table(steps int) [][]float32 {
	table := make([][]float32, steps)
	for step := range table {
		table[step] = make([]float32, len(l.Layers))
		if float64(step)/float64(steps) < l.Start || float64(step+1)/float64(steps) > l.End {
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

// Layers is λ by cross-attention for what is taken over from an image prompt: "all"; its
// "style", every layer but those of down_blocks.2 and up_blocks.1; or its "composition",
// those of down_blocks.2 only, the first of them at a quarter of λ. These blocks are Stable
// Diffusion 1.5's. In a UNet of another depth they are the deepest down block that has
// cross-attentions, and the up block across from it.
func Layers(u *unet.UNet, lambda float64, layers string) ([]float64, error) {
	deepest := -1
	for i, t := range u.Config.DownBlockTypes {
		if t == "CrossAttnDownBlock2D" {
			deepest = i
		}
	}
	down := fmt.Sprintf("down_blocks.%d.", deepest)
	up := fmt.Sprintf("up_blocks.%d.", len(u.Config.UpBlockTypes)-1-deepest)
	attentions := u.CrossAttentions()
	out := make([]float64, len(attentions))
	first := true
	for i, a := range attentions {
		inDown, inUp := strings.HasPrefix(a.Name, down), strings.HasPrefix(a.Name, up)
		switch layers {
		case "", "all":
			out[i] = lambda
		case "style":
			if !inDown && !inUp {
				out[i] = lambda
			}
		case "composition":
			if inDown {
				out[i] = lambda
				if first {
					out[i] = lambda / 4
				}
				first = false
			}
		default:
			return nil, fmt.Errorf("image prompt layers %q; there are all, style and composition", layers)
		}
	}
	return out, nil
}
