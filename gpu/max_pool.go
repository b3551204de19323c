package gpu

// MaxPool returns the largest number of each square of size × size pixels of x, Act [N, H, W, C]: torch's max_pool2d with
// stride = kernel_size. It returns [N, ⌊H/size⌋, ⌊W/size⌋, C].
func MaxPool(p *Program, x *Tensor, size int, label string) *Tensor {
	if len(x.Shape) != 4 || size < 1 || x.Shape[1] < size || x.Shape[2] < size || x.inBands() && x.Shape[0] != 1 {
		p.Fail("gpu: %s: squares of %d × %d pixels do not fit %s", label, size, size, x)
		return x
	}
	n, ho, wo := x.Shape[0], x.Shape[1]/size, x.Shape[2]/size
	y := p.newPicture(label, Act, n, ho, wo, x.Channels())
	if !x.inBands() {
		dispatchMaxPool(p, x, y, size, 0, 0, ho, label)
		return y
	}
	rows := p.Device.bandRows(wo)
	out := y.bands
	for from := 0; from < ho; from += rows {
		to := min(from+rows, ho)
		source, first := x.span(p, from*size, to*size)
		if out == nil {
			dispatchMaxPool(p, source, y, size, from*size-first, from, to-from, label)
			continue
		}
		dispatchMaxPool(p, source, out[0], size, from*size-first, 0, to-from, label)
		out = out[1:]
	}
	return y
}

// dispatchMaxPool computes rows of y, of each image, from row to on. They are read from row from of x on.
func dispatchMaxPool(p *Program, x, y *Tensor, size, from, to, rows int, label string) {
	quads := x.Pitch() / 4
	count := x.Shape[0] * rows * y.Shape[2] * quads
	groups, stride := grid1D(p.Device, count, 64)
	p.Dispatch(Dispatch{
		Kernel: "max_pool", Label: label,
		Params: []Param{{"count", count}, {"stride", stride}, {"quads", quads}, {"h_in", x.Shape[1]}, {"w_in", x.Shape[2]}, {"h_out", rows}, {"w_out", y.Shape[2]},
			{"size", size}, {"x_row", from}, {"y_at", to * y.Shape[2] * quads}},
		Bind:   []Binding{In("x", x), Out("y", y)},
		Groups: groups,
		Cost:   float64(4 * count * size * size),
	})
}
