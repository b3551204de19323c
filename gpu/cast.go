package gpu

// Cast returns x · factor as a tensor of type Act. x is F32.
func Cast(p *Program, x *Tensor, factor float64) *Tensor {
	y := p.NewTensor(x.Name+".act", Act, x.Shape...)
	castInto(p, x, y, factor, 0)
	return y
}

// Limited returns limit · tanh(x · factor / limit) as a tensor of type Act: x · factor, with what is large
// brought below the limit. x is F32, and limit is positive.
func Limited(p *Program, x *Tensor, factor, limit float64) *Tensor {
	y := p.NewTensor(x.Name+".limited", Act, x.Shape...)
	castInto(p, x, y, factor, limit)
	return y
}

// castInto is Cast into y, and with a limit other than 0 it is Limited into y.
func castInto(p *Program, x, y *Tensor, factor, limit float64) {
	n := x.Rows() * x.Pitch() / 4
	groups, stride := grid1D(p.Device, n, 64)
	p.Dispatch(Dispatch{
		Kernel: "cast", Label: y.Name,
		Params: []Param{{"count", n}, {"stride", stride}, {"factor", factor}, {"limit", limit}},
		Bind:   []Binding{In("x", x), Out("y", y)},
		Groups: groups,
		Cost:   float64(4 * n),
	})
}
