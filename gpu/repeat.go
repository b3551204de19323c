package gpu

// Repeat returns x, Act [1, …], as every entry of a batch: [batch, …]. A tensor that has
// that many entries is returned as it is.
func Repeat(p *Program, x *Tensor, batch int) *Tensor {
	if x.Shape[0] == batch {
		return x
	}
	if x.Shape[0] != 1 {
		p.Fail("gpu: %s has %d entries and cannot be repeated to %d", x, x.Shape[0], batch)
		return x
	}
	y := p.NewTensor(x.Name+".repeated", x.DType, append([]int{batch}, x.Shape[1:]...)...)
	for i := range batch {
		CopyRows(p, x, y, 0, i*x.Rows(), x.Rows())
	}
	return y
}

// ConcatEntries joins tensors of one type along the outermost dimension, the batch.
//
//	parts: [B1, …], [B2, …], …; y: [B1 + B2 + …, …]
func ConcatEntries(p *Program, parts ...*Tensor) *Tensor {
	n := 0
	for _, x := range parts {
		n += x.Shape[0]
	}
	y := p.NewTensor(parts[0].Name+".entries", parts[0].DType, append([]int{n}, parts[0].Shape[1:]...)...)
	at := 0
	for _, x := range parts {
		CopyRows(p, x, y, 0, at, x.Rows())
		at += x.Rows()
	}
	return y
}

// Entries returns a copy of n entries of x's batch, beginning with the entry from. The first entries need no
// copy: see Tensor.First.
//
//	x: [B, …], y: [n, …]
func Entries(p *Program, x *Tensor, from, n int) *Tensor {
	y := p.NewTensor(x.Name+".entries", x.DType, append([]int{n}, x.Shape[1:]...)...)
	each := x.Rows() / x.Shape[0]
	CopyRows(p, x, y, from*each, 0, n*each)
	return y
}
