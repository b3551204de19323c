package blocks

import (
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// ResnetBlock2D is diffusers' ResnetBlock2D (models/resnet.py).
type ResnetBlock2D struct {
	Norm1        *nn.GroupNorm `weight:"norm1"`
	Conv1        *nn.Conv2d    `weight:"conv1"`
	TimeEmbProj  *nn.Linear    `weight:"time_emb_proj"` // nil in the VAE
	Norm2        *nn.GroupNorm `weight:"norm2"`
	Conv2        *nn.Conv2d    `weight:"conv2"`
	ConvShortcut *nn.Conv2d    `weight:"conv_shortcut"` // nil if the input and the output have the same number of channels
	FDN1         *FDN          `weight:"norm1"`         // in place of Norm1, or nil
	FDN2         *FDN          `weight:"norm2"`         // in place of Norm2, or nil

	Name  string  // in the checkpoint
	scale float64 // output_scale_factor, by which the sum is divided
}

// NewResnetBlock2D makes the block. temb is the size of the time embedding, or 0 for a block
// without one.
func NewResnetBlock2D(name string, in, out, temb, groups int, eps, scale float64) *ResnetBlock2D {
	r := &ResnetBlock2D{
		Norm1: nn.NewGroupNorm(groups, in, eps), Conv1: nn.NewConv3x3(in, out),
		Norm2: nn.NewGroupNorm(groups, out, eps), Conv2: nn.NewConv3x3(out, out),
		Name: name, scale: scale,
	}
	if temb > 0 {
		r.TimeEmbProj = nn.NewLinear(temb, out, true)
	}
	if in != out {
		r.ConvShortcut = nn.NewConv2d(in, out, 1, true)
	}
	return r
}

// Forward computes conv2(silu(norm2(conv1(silu(norm1(x))) + t))) + shortcut(x), where x is
// the concatenation of h and skip along the channels, and t is the row of time for the
// program's step.
//
//	h:       Act [B, H, W, C]
//	skip:    Act [B, H, W, C'], or nil
//	time:    F32 [steps, out], TimeEmbProj's result for every step, or nil
//	fdn:     what FDN1 and FDN2 made of the maps, where the block has them, without a skip; otherwise none
//	returns: Act [B, H, W, out]
func (r *ResnetBlock2D) Forward(p *gpu.Program, h, skip, time *gpu.Tensor, fdn ...Modulation) *gpu.Tensor {
	var y *gpu.Tensor
	if r.FDN1 != nil {
		y = r.FDN1.forward(p, h, fdn[0], r.Name+".norm1")
	} else {
		y = r.Norm1.Forward(p, h, skip, r.Name+".norm1", true)
	}
	y = r.Conv1.Forward(p, y, gpu.Conv2dOptions{Label: r.Name + ".conv1", Padding: 1, Table: time})
	if r.TimeEmbProj == nil { // in the UNet, which runs for every step, only the sum is watched
		p.Watch(y)
	}
	if r.FDN2 != nil {
		y = r.FDN2.forward(p, y, fdn[1], r.Name+".norm2")
	} else {
		y = r.Norm2.Forward(p, y, nil, r.Name+".norm2", true)
	}
	shortcut := h
	if r.ConvShortcut != nil {
		shortcut = r.ConvShortcut.Forward(p, h, gpu.Conv2dOptions{Label: r.Name + ".conv_shortcut", X2: skip})
	}
	y = r.Conv2.Forward(p, y, gpu.Conv2dOptions{Label: r.Name + ".conv2", Padding: 1, Residual: shortcut, Scale: 1 / r.scale})
	p.Watch(y)
	return y
}
