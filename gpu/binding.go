package gpu

import (
	"fmt"

	"github.com/imprompt/imprompt/wgsl"
)

// Binding is a buffer that a dispatch reads or writes, by its name in the kernel.
type Binding struct {
	Name     string
	tensor   *Tensor
	buffer   *Buffer
	write    bool
	optional bool
}

// In binds a tensor as read-only storage.
func In(name string, t *Tensor) Binding { return Binding{Name: name, tensor: t.root()} }

// Out binds a tensor as read_write storage.
func Out(name string, t *Tensor) Binding { return Binding{Name: name, tensor: t.root(), write: true} }

// Read binds a buffer, for example a weight's, as read-only storage.
func Read(name string, b *Buffer) Binding { return Binding{Name: name, buffer: b} }

// Write binds a buffer as read_write storage.
func Write(name string, b *Buffer) Binding { return Binding{Name: name, buffer: b, write: true} }

// Optional allows a read-only binding to have no tensor or buffer. The kernel's parameters
// or constants then tell it not to read the binding, and because WebGPU wants some buffer
// there, it gets that of the first read-only binding that has one.
func (b Binding) Optional() Binding {
	b.optional = true
	return b
}

func (b Binding) empty() bool { return b.tensor == nil && b.buffer == nil }

// arrange puts a dispatch's bindings in the order of the kernel's and checks that names
// and access agree.
func arrange(k *wgsl.Kernel, given []Binding) ([]Binding, error) {
	var spare Binding // what optional bindings without a buffer are bound to
	for _, b := range given {
		if !b.write && !b.empty() {
			spare = b
			break
		}
	}
	used := make([]bool, len(given))
	arranged := make([]Binding, len(k.Bindings))
	for i, want := range k.Bindings {
		at := -1
		for j, b := range given {
			if b.Name == want.Name && !used[j] {
				at = j
				break
			}
		}
		if at < 0 {
			return nil, fmt.Errorf("binding %q is missing", want.Name)
		}
		used[at] = true
		b := given[at]
		switch {
		case b.write != want.Write:
			return nil, fmt.Errorf("binding %q: written is %t, and in the kernel it is %t", b.Name, b.write, want.Write)
		case b.empty() && (!b.optional || spare.empty()):
			return nil, fmt.Errorf("binding %q is empty", b.Name)
		case b.empty():
			b.tensor, b.buffer = spare.tensor, spare.buffer
		}
		arranged[i] = b
	}
	for j, b := range given {
		if !used[j] {
			return nil, fmt.Errorf("the kernel has no binding %q, or it is given twice", b.Name)
		}
	}
	return arranged, nil
}
