package model

import "github.com/imprompt/imprompt/gpu"

// resnetBlock is diffusers' ResnetBlock2D (models/resnet.py).
type resnetBlock struct {
	Norm1        *GroupNorm `weight:"norm1"`
	Conv1        *Conv2d    `weight:"conv1"`
	TimeEmbProj  *Linear    `weight:"time_emb_proj"` // nil in the VAE
	Norm2        *GroupNorm `weight:"norm2"`
	Conv2        *Conv2d    `weight:"conv2"`
	ConvShortcut *Conv2d    `weight:"conv_shortcut"` // nil where the channels stay

	name  string
	scale float64 // output_scale_factor: the sum is divided by it
}

func newResnetBlock(in, out, temb, groups int, eps, scale float64) *resnetBlock {
	r := &resnetBlock{
		Norm1: newGroupNorm(groups, in, eps), Conv1: newConv2d(in, out, 3),
		Norm2: newGroupNorm(groups, out, eps), Conv2: newConv2d(out, out, 3),
		scale: scale,
	}
	if temb > 0 {
		r.TimeEmbProj = newLinear(temb, out, true)
	}
	if in != out {
		r.ConvShortcut = newConv2d(in, out, 1)
	}
	return r
}

// forward computes conv2(silu(norm2(conv1(silu(norm1(x))) + t))) + shortcut(x), where
// x is cat[h, skip] over the channels and t the time's row of the resnet's table.
func (r *resnetBlock) forward(p *gpu.Program, h, skip *gpu.Tensor, c *conditioning) *gpu.Tensor {
	y := r.Norm1.forward(p, h, skip, r.name+".norm1", true)
	o := gpu.Conv2dOptions{Label: r.name + ".conv1", Padding: 1}
	if r.TimeEmbProj != nil {
		o.Table = c.time[r]
	}
	y = r.Conv1.forward(p, y, o)
	y = r.Norm2.forward(p, y, nil, r.name+".norm2", true)
	shortcut := h
	if r.ConvShortcut != nil {
		shortcut = r.ConvShortcut.forward(p, h, gpu.Conv2dOptions{Label: r.name + ".conv_shortcut", X2: skip})
	}
	return r.Conv2.forward(p, y, gpu.Conv2dOptions{Label: r.name + ".conv2", Padding: 1, Residual: shortcut, Scale: 1 / r.scale})
}
