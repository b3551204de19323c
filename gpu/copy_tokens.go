package gpu

// SliceTokens copies tokens [from, from+n) of x, Act [B, T, C], to a new tensor [B, n, C].
func SliceTokens(p *Program, x *Tensor, from, n int) *Tensor {
	y := p.NewTensor(x.Name+".slice", x.DType, x.Shape[0], n, x.Channels())
	copyTokens(p, x, y, from, 0, n)
	return y
}

// ConcatTokens joins tensors [B, T₁, C], [B, T₂, C], … into [B, ΣT, C]. It is meant for
// what is computed once per picture; kernels that run in every step take several inputs
// instead.
func ConcatTokens(p *Program, parts ...*Tensor) *Tensor {
	if len(parts) == 1 {
		return parts[0]
	}
	total := 0
	for _, x := range parts {
		total += x.Shape[1]
	}
	y := p.NewTensor(parts[0].Name+".concat", parts[0].DType, parts[0].Shape[0], total, parts[0].Channels())
	at := 0
	for _, x := range parts {
		copyTokens(p, x, y, 0, at, x.Shape[1])
		at += x.Shape[1]
	}
	return y
}

// FirstChannels copies the first n channels of x, Act. n is a multiple of 4.
func FirstChannels(p *Program, x *Tensor, n int) *Tensor {
	y := p.NewTensor(x.Name+".channels", x.DType, append(append([]int(nil), x.Shape[:len(x.Shape)-1]...), n)...)
	if n%4 != 0 || n > x.Channels() {
		p.Fail("gpu: the first %d channels of %s: a multiple of 4, and no more than there are, can be copied", n, x)
		return y
	}
	copyRuns(p, x, y, runs{count: x.Rows(), length: n / 4, xEach: x.Pitch() / 4, yEach: n / 4})
	return y
}

// copyTokens copies tokens [from, from+n) of x, [B, T, C], to tokens [to, to+n) of y.
func copyTokens(p *Program, x, y *Tensor, from, to, n int) {
	if len(x.Shape) != 3 || len(y.Shape) != 3 || x.Channels() != y.Channels() || x.DType != y.DType || x.Shape[0] != y.Shape[0] ||
		from+n > x.Shape[1] || to+n > y.Shape[1] {
		p.Fail("gpu: copying %d tokens from %s at %d to %s at %d does not fit", n, x, from, y, to)
		return
	}
	quads := x.Pitch() / 4
	copyRuns(p, x, y, runs{count: x.Shape[0], length: n * quads, xFrom: from * quads, xEach: x.Shape[1] * quads, yFrom: to * quads, yEach: y.Shape[1] * quads})
}

// runs are runs of neighbouring vec4: how many there are, how long each is, where the first
// begins in x and in y, and how far it is from one to the next.
type runs struct{ count, length, xFrom, xEach, yFrom, yEach int }

// copyRuns copies runs of x to y.
func copyRuns(p *Program, x, y *Tensor, r runs) {
	count := r.count * r.length
	groups, stride := grid1D(p.Device, count, 64)
	p.Dispatch(Dispatch{
		Kernel: "copy_tokens", Label: y.Name,
		Params: []Param{{"count", count}, {"stride", stride}, {"length", r.length}, {"x_each", r.xEach}, {"x_from", r.xFrom},
			{"y_each", r.yEach}, {"y_from", r.yFrom}},
		Bind:   []Binding{In("x", x), Out("y", y)},
		Groups: groups,
		Cost:   float64(4 * count),
	})
}
