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
