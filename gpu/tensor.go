package gpu

import "fmt"

// Tensor is an array on the GPU. Its innermost dimension is last: [N, H, W, C] for pictures,
// [B, T, C] for tokens. The innermost dimension is padded with zeros to a multiple of four
// numbers (see Pitch), so that kernels can read it as vec4.
type Tensor struct {
	Name  string
	Shape []int
	DType DType

	device     *Device
	buffer     *Buffer // nil for a transient tensor until its program is built
	persistent bool
	base       *Tensor      // the tensor whose memory this one shows in another shape, or nil
	bands      []*Tensor    // of a picture that is too large for one piece (bands.go) and has no memory of its own
	norm       *pendingNorm // of a picture in bands, or nil
	// The first and the last dispatch of the program that bind the tensor; -1 if none does.
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

// Reshape returns a tensor with the same memory and another shape. If the length of a row
// changes, both lengths have to be multiples of four.
func (t *Tensor) Reshape(shape ...int) *Tensor {
	v := newTensor(t.device, t.Name, t.DType, shape)
	v.base, v.persistent = t.root(), t.persistent
	if v.Rows()*v.Channels() != t.Rows()*t.Channels() || v.Pitch() != t.Pitch() && (v.Channels()%4 != 0 || t.Channels()%4 != 0) {
		panic(fmt.Sprintf("gpu: %s cannot be seen as %v", t, shape))
	}
	return v
}

// First returns the first n entries of the outermost dimension, in the same memory.
func (t *Tensor) First(n int) *Tensor {
	shape := append([]int{n}, t.Shape[1:]...)
	v := newTensor(t.device, t.Name, t.DType, shape)
	v.base, v.persistent = t.root(), t.persistent
	if n > t.Shape[0] {
		panic(fmt.Sprintf("gpu: %s has no %d entries", t, n))
	}
	return v
}

// root returns the tensor that owns the memory. t may be nil.
func (t *Tensor) root() *Tensor {
	if t != nil && t.base != nil {
		return t.base
	}
	return t
}

// Channels is the innermost dimension.
func (t *Tensor) Channels() int { return t.Shape[len(t.Shape)-1] }

// Pitch is the distance between rows, in numbers: Channels rounded up to a multiple of four.
func (t *Tensor) Pitch() int { return (t.Channels() + 3) &^ 3 }

// Rows is the product of all dimensions except the innermost.
func (t *Tensor) Rows() int {
	n := 1
	for _, s := range t.Shape[:len(t.Shape)-1] {
		n *= s
	}
	return n
}

// Bytes is how much memory the tensor takes, including padding.
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
