package gpu

// CopyRows copies rows [from, from+n) of x to rows [to, to+n) of y, bit for bit. A row is
// one vector of channels: a pixel or a token. x and y have the same type and pitch.
func CopyRows(p *Program, x, y *Tensor, from, to, n int) {
	if x.DType != y.DType || x.Pitch() != y.Pitch() || from < 0 || to < 0 || from+n > x.Rows() || to+n > y.Rows() {
		p.Fail("gpu: copying %d rows from %s at %d to %s at %d does not fit", n, x, from, y, to)
		return
	}
	words := x.Pitch() * x.DType.Size() / 8
	count := n * words
	groups, stride := grid1D(p.Device, count, 64)
	p.Dispatch(Dispatch{
		Kernel: "copy_rows", Label: y.Name,
		Params: []Param{{"count", count}, {"stride", stride}, {"x_at", from * words}, {"y_at", to * words}},
		Bind:   []Binding{In("x", x), Out("y", y)},
		Groups: groups,
		Cost:   float64(2 * count),
	})
}
