package gpu

// Scale returns x times a constant, of x's shape and type.
func Scale(p *Program, x *Tensor, factor float32) *Tensor {
	y := p.NewTensor(x.Name+".scaled", x.DType, x.Shape...)
	scaleInto(p, x, y, factor)
	return y
}

func scaleInto(p *Program, x, y *Tensor, factor float32) {
	n := x.Rows() * x.Pitch() / 4
	groups, stride := grid1D(p.Device, n, 64)
	p.Dispatch(Dispatch{
		Kernel: "scale", Label: y.Name,
		Params: []any{n, stride, factor},
		Bind:   []Binding{In(x), Out(y)},
		Groups: groups,
		Cost:   float64(4 * n),
	})
}

// grid1D spreads n threads over workgroups of size threads, in two dimensions where
// one does not reach. A kernel's index is x + y·stride.
func grid1D(d *Device, n, size int) (groups [3]int, stride int) {
	count := (n + size - 1) / size
	x := min(count, d.Limits.MaxComputeWorkgroupsPerDimension)
	return [3]int{x, (count + x - 1) / x, 1}, x * size
}
