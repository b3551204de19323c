package gpu

// ModulatedGroupNorm returns act(norm(x) · (1 + gamma) + beta), where norm is a GroupNorm without a scale
// and a shift, and all entries of the batch share gamma and beta. It is the FDN of Uni-ControlNet (arXiv
// 2305.16322, section 3.2). o.X2 is not used.
//
//	x: Act [N, H, W, C]
//	gamma, beta: Act [1, H, W, C]
func ModulatedGroupNorm(p *Program, x, gamma, beta *Tensor, o GroupNormOptions) *Tensor {
	y := p.NewTensor(o.Label, Act, x.Shape...)
	channels := x.Channels()
	pixels := x.Rows() / x.Shape[0]
	if gamma.Rows() != pixels || beta.Rows() != pixels || gamma.Channels() != channels || beta.Channels() != channels || channels%o.Groups != 0 || channels%4 != 0 {
		p.Fail("gpu: %s: %s and %s do not modulate %s in %d groups", o.Label, gamma, beta, x, o.Groups)
		return y
	}
	s := normStatistics(p, x, channels, o)
	normCombine(p, s, &NormWeight{Channels: channels}, o)
	count := x.Rows() * channels / 4
	groups, stride := grid1D(p.Device, count, 64)
	p.Dispatch(Dispatch{
		Kernel: "group_norm_modulate", Label: o.Label,
		Params: []Param{{"count", count}, {"stride", stride}, {"image", pixels * channels / 4}, {"quads", channels / 4}, {"activation", int(o.Activation)}},
		Bind:   []Binding{In("x", x), In("affine", s.affine), In("gamma", gamma), In("beta", beta), Out("y", y)},
		Groups: groups,
		Cost:   float64(24 * count),
	})
	return y
}
