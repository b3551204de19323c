package gpu

// ModulatedGroupNorm is a GroupNorm without a scale and a shift of its own, whose result is multiplied by
// 1 + gamma, place by place, and has beta added, before the activation.
//
//	x: Act [N, H, W, C]
//	gamma, beta: Act [1, H, W, C]
func ModulatedGroupNorm(p *Program, x, gamma, beta *Tensor, o GroupNormOptions) *Tensor {
	y := p.NewTensor(o.Label, Act, x.Shape...)
	n, channels := x.Shape[0], x.Channels()
	pixels := x.Rows() / n
	if gamma.Rows() != pixels || beta.Rows() != pixels || gamma.Channels() != channels || beta.Channels() != channels || channels%o.Groups != 0 || channels%4 != 0 {
		p.Fail("gpu: %s: %s and %s do not modulate %s in %d groups", o.Label, gamma, beta, x, o.Groups)
		return y
	}
	chunk := normChunk(pixels)
	chunks := (pixels + chunk - 1) / chunk
	partial := p.NewTensor(o.Label+".partial", F32, n, chunks, channels*2)
	affine := p.NewTensor(o.Label+".affine", F32, n, channels*2)
	normPartial(p, x, partial, pixels, chunk, 0, chunks, o)
	normCombine(p, partial, affine, &NormWeight{Channels: channels}, pixels, chunk, chunks, o)
	count := x.Rows() * channels / 4
	groups, stride := grid1D(p.Device, count, 64)
	p.Dispatch(Dispatch{
		Kernel: "group_norm_modulate", Label: o.Label,
		Params: []Param{{"count", count}, {"stride", stride}, {"image", pixels * channels / 4}, {"quads", channels / 4}, {"activation", int(o.Activation)}},
		Bind:   []Binding{In("x", x), In("affine", affine), In("gamma", gamma), In("beta", beta), Out("y", y)},
		Groups: groups,
		Cost:   float64(24 * count),
	})
	return y
}
