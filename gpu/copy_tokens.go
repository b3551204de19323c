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

// copyTokens copies tokens [from, from+n) of x, [B, T, C], to tokens [to, to+n) of y.
func copyTokens(p *Program, x, y *Tensor, from, to, n int) {
	if len(x.Shape) != 3 || len(y.Shape) != 3 || x.Channels() != y.Channels() || x.DType != y.DType || x.Shape[0] != y.Shape[0] ||
		from+n > x.Shape[1] || to+n > y.Shape[1] {
		p.Fail("gpu: copying %d tokens from %s at %d to %s at %d does not fit", n, x, from, y, to)
		return
	}
	quads := x.Pitch() / 4
	count := x.Shape[0] * n * quads
	groups, stride := grid1D(p.Device, count, 64)
	p.Dispatch(Dispatch{
		Kernel: "copy_tokens", Label: y.Name,
		Params: []Param{{"count", count}, {"stride", stride}, {"run", n * quads}, {"x_batch", x.Shape[1] * quads}, {"x_from", from * quads},
			{"y_batch", y.Shape[1] * quads}, {"y_to", to * quads}},
		Bind:   []Binding{In("x", x), Out("y", y)},
		Groups: groups,
		Cost:   float64(4 * count),
	})
}
