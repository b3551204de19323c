package gpu

// AdaIN gives every entry of the first half of x's batch, channel by channel, the mean and the deviation of
// its entry in the second half, which stays as it is. In the first `mixed` entries the result is
// fidelity · x + (1 - fidelity) · AdaIN(x).
//
//	x: Act [2B, H, W, C]
func AdaIN(p *Program, x *Tensor, mixed int, fidelity float64, label string) *Tensor {
	y := p.NewTensor(label, Act, x.Shape...)
	n, channels := x.Shape[0], x.Channels()
	if n%2 != 0 || mixed > n/2 || channels%4 != 0 {
		p.Fail("gpu: %s: %s has no two halves for AdaIN in %d entries", label, x, mixed)
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
