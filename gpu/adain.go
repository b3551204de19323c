package gpu

// AdaIN gives entry b of a batch the mean and the deviation of entry B + b, channel by channel (adaptive
// instance normalisation, arXiv 1703.06868, with the variance of at least 1e-6 that diffusers'
// stable_diffusion_reference.py has). The second half of the batch stays as it is. In the first mixed
// entries the result is fidelity · x + (1 - fidelity) · AdaIN(x).
//
//	x, y: Act [2B, H, W, C]
func AdaIN(p *Program, x *Tensor, mixed int, fidelity float64, label string) *Tensor {
	y := p.NewTensor(label, Act, x.Shape...)
	n, channels := x.Shape[0], x.Channels()
	if n%2 != 0 || mixed > n/2 || channels%4 != 0 {
		p.Fail("gpu: %s: AdaIN needs a batch of two halves, the first with %d entries or more, and a multiple of 4 channels, and has %s", label, mixed, x)
		return y
	}
	o := GroupNormOptions{Label: label}
	s := normStatistics(p, x, channels, o)
	groups, stride := grid1D(p.Device, n*channels, 64)
	p.Dispatch(Dispatch{
		Kernel: "adain_combine", Label: label,
		Params: []Param{{"count", n * channels}, {"stride", stride}, {"pixels", s.pixels}, {"chunk", s.chunk}, {"chunks", s.chunks}, {"channels", channels},
			{"own", n / 2}, {"mixed", mixed}, {"fidelity", fidelity}},
		Bind:   []Binding{In("partial", s.partial), Out("affine", s.affine)},
		Groups: groups,
		Cost:   float64(16 * n * s.chunks * channels),
	})
	dispatchApply(p, x, y, s.affine, [3]int{x.Rows(), 0, 0}, s.pixels, o)
	return y
}
