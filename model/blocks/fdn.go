package blocks

import (
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// FDN is the feature denormalisation of Uni-ControlNet (arXiv 2305.16322, section 3.2; FDN in its
// models/local_adapter.py): a group norm whose scale and shift differ from pixel to pixel. Two convolutions
// make them from the features of the maps that the network reads.
type FDN struct {
	Gamma *nn.Conv2d `weight:"conv_gamma"`
	Beta  *nn.Conv2d `weight:"conv_beta"`

	groups int
}

// Modulation is what an FDN makes of features: its scales less 1, and its shifts, each Act [1, H, W, C].
type Modulation struct{ Gamma, Beta *gpu.Tensor }

// NewFDN lays out the norm of a number of channels, for maps whose features have another.
func NewFDN(channels, features, groups int) *FDN {
	return &FDN{Gamma: nn.NewConv2d(features, channels, 3, true), Beta: nn.NewConv2d(features, channels, 3, true), groups: groups}
}

// Modulation records the scales and the shifts. They are the same in all steps.
//
//	features: Act [1, H, W, features]
func (f *FDN) Modulation(p *gpu.Program, features *gpu.Tensor, label string) Modulation {
	return Modulation{f.Gamma.Forward(p, features, gpu.Conv2dOptions{Label: label + ".conv_gamma", Padding: 1}),
		f.Beta.Forward(p, features, gpu.Conv2dOptions{Label: label + ".conv_beta", Padding: 1})}
}

// forward records the norm and the SiLU behind it.
//
//	x: Act [B, H, W, channels]
func (f *FDN) forward(p *gpu.Program, x *gpu.Tensor, m Modulation, label string) *gpu.Tensor {
	return gpu.ModulatedGroupNorm(p, x, m.Gamma, m.Beta, gpu.GroupNormOptions{Label: label, Groups: f.groups, Eps: 1e-5, Activation: gpu.SiLU})
}

// Denormalise replaces the block's norms by FDNs: the block becomes a LocalResBlock of Uni-ControlNet.
func (r *ResnetBlock2D) Denormalise(in, out, features, groups int) {
	r.Norm1, r.Norm2 = nil, nil
	r.FDN1, r.FDN2 = NewFDN(in, features, groups), NewFDN(out, features, groups)
}
