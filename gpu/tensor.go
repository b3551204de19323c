package gpu

import "fmt"

// Tensor is an array on the GPU, innermost dimension last: [N, H, W, C] for
// pictures, [B, T, C] for tokens. The innermost dimension is padded to a multiple
// of four numbers (Pitch), so that kernels read it as vec4; the padding is zero.
type Tensor struct {
	Name  string
	Shape []int
	DType DType

	device     *Device
	buffer     *Buffer // nil for a transient tensor until its program is built
	persistent bool
	base       *Tensor      // the tensor that this one is another shape of, or nil
	bands      []*Tensor    // of a picture too large for one piece (bands.go); it has no memory of its own
	norm       *pendingNorm // of a picture in bands
	// The first and the last dispatch of the program that touch it; -1 for none.
	first, last int
}

func newTensor(d *Device, name string, dt DType, shape []int) *Tensor {
	if len(shape) == 0 {
		panic("gpu: tensor " + name + " has no shape")
	}
	for _, n := range shape {
		if n <= 0 {
			panic(fmt.Sprintf("gpu: tensor %s has the shape %v", name, shape))
		}
	}
	if dt == Act {
		dt = F32
		if d.F16 {
			dt = F16
		}
	}
	return &Tensor{Name: name, Shape: append([]int(nil), shape...), DType: dt, device: d, first: -1, last: -1}
}

// Reshape is the same memory under another shape. Both innermost dimensions have to
// be multiples of four, where rows are longer or shorter than before.
func (t *Tensor) Reshape(shape ...int) *Tensor {
	v := newTensor(t.device, t.Name, t.DType, shape)
	v.base, v.persistent = t.root(), t.persistent
	if v.Rows()*v.Channels() != t.Rows()*t.Channels() || v.Pitch() != t.Pitch() && (v.Channels()%4 != 0 || t.Channels()%4 != 0) {
		panic(fmt.Sprintf("gpu: %s cannot be seen as %v", t, shape))
	}
	return v
}

// First is the first n entries of the outermost dimension, in the same memory.
func (t *Tensor) First(n int) *Tensor {
	shape := append([]int{n}, t.Shape[1:]...)
	v := newTensor(t.device, t.Name, t.DType, shape)
	v.base, v.persistent = t.root(), t.persistent
	if n > t.Shape[0] {
		panic(fmt.Sprintf("gpu: %s has no %d entries", t, n))
	}
	return v
}

// root is the tensor that owns the memory; nil of nil.
func (t *Tensor) root() *Tensor {
	if t != nil && t.base != nil {
		return t.base
	}
	return t
}

// Channels is the innermost dimension.
func (t *Tensor) Channels() int { return t.Shape[len(t.Shape)-1] }

// Pitch is the numbers from one row to the next: Channels rounded up to four.
func (t *Tensor) Pitch() int { return (t.Channels() + 3) &^ 3 }

// Rows is the product of all dimensions but the innermost.
func (t *Tensor) Rows() int {
	n := 1
	for _, s := range t.Shape[:len(t.Shape)-1] {
		n *= s
	}
	return n
}

// Bytes is the memory that the tensor takes, padding included.
func (t *Tensor) Bytes() int64 {
	n := int64(t.Rows()) * int64(t.Pitch()) * int64(t.DType.Size())
	return (n + 15) &^ 15
}

func (t *Tensor) String() string { return fmt.Sprintf("%s %s%v", t.Name, t.DType, t.Shape) }

// Release frees a persistent tensor's buffer.
func (t *Tensor) Release() {
	if t != nil && t.persistent && t.buffer != nil {
		t.buffer.Release()
		t.buffer = nil
	}
}
