package blocks

import (
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// Downsample2D is diffusers' Downsample2D (models/downsampling.py): a convolution with
// stride 2, which halves the size.
type Downsample2D struct {
	Conv *nn.Conv2d `weight:"conv"`
}

// NewDownsample2D makes the block.
func NewDownsample2D(channels int) *Downsample2D {
	return &Downsample2D{nn.NewConv2d(channels, channels, 3, true)}
}

// Forward halves the size of x, Act [B, H, W, C]. With padding 0, a row and a column of zeros
// are added only at the end.
func (s *Downsample2D) Forward(p *gpu.Program, x *gpu.Tensor, label string, padding int) *gpu.Tensor {
	o := gpu.Conv2dOptions{Label: label, Stride: 2, Padding: padding}
	if padding == 0 {
		o.PadEnd = 1
	}
	return s.Conv.Forward(p, x, o)
}

// Upsample2D is diffusers' Upsample2D (models/upsampling.py).
type Upsample2D struct {
	Conv *nn.Conv2d `weight:"conv"`
}

// NewUpsample2D makes the block.
func NewUpsample2D(channels int) *Upsample2D {
	return &Upsample2D{nn.NewConv2d(channels, channels, 3, true)}
}

// Forward enlarges x, Act [B, H, W, C], to a size by nearest neighbour, and convolves it.
func (s *Upsample2D) Forward(p *gpu.Program, x *gpu.Tensor, label string, height, width int) *gpu.Tensor {
	return s.Conv.Forward(p, x, gpu.Conv2dOptions{Label: label, Padding: 1, UpsampleTo: [2]int{height, width}})
}
