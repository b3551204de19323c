package gpu

// Mix returns (1 - w) · x + w · r in the first entries of x's batch, as many as r has, and x in
// the others. x and r are Act, and an entry of one has the shape of an entry of the other.
func Mix(p *Program, x, r *Tensor, w float64, label string) *Tensor {
	y := p.NewTensor(label, Act, x.Shape...)
	if x.Channels() != r.Channels() || r.Shape[0] > x.Shape[0] || x.Rows()*r.Shape[0] != r.Rows()*x.Shape[0] {
		p.Fail("gpu: %s: %s cannot be mixed into %s", label, r, x)
		return y
	}
	count := x.Rows() * x.Pitch() / 4
	groups, stride := grid1D(p.Device, count, 64)
	p.Dispatch(Dispatch{
		Kernel: "mix", Label: label,
		Params: []Param{{"count", count}, {"stride", stride}, {"r_count", r.Rows() * r.Pitch() / 4}, {"weight", w}},
		Bind:   []Binding{In("x", x), In("r", r), Out("y", y)},
		Groups: groups,
		Cost:   float64(8 * count),
	})
	return y
}
