package gpu

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Dispatch is one run of a kernel.
type Dispatch struct {
	Kernel string    // the wgsl file, without .wgsl
	Label  string    // what it computes, in the checkpoint's words: "down_blocks.0.resnets.0.conv1"
	Consts []Const   // compiled in
	Params []any     // the uniform at binding 0: scalars in the order of the kernel's struct
	Bind   []Binding // bindings 1, 2, … in this order
	Groups [3]int    // workgroups; a zero counts as one
	Cost   float64   // about how many floating-point operations, to cut long lists
}

// Binding is a buffer that a dispatch reads or writes.
type Binding struct {
	tensor *Tensor
	buffer *Buffer
	write  bool
}

// In binds a tensor as read-only storage.
func In(t *Tensor) Binding { return Binding{tensor: t.root()} }

// Out binds a tensor as read_write storage.
func Out(t *Tensor) Binding { return Binding{tensor: t.root(), write: true} }

// Read binds a buffer, a weight's say, as read-only storage.
func Read(b *Buffer) Binding { return Binding{buffer: b} }

// Write binds a buffer as read_write storage.
func Write(b *Buffer) Binding { return Binding{buffer: b, write: true} }

// Program is a recorded list of dispatches. Record with the operations, then Build
// once, then Run as often as there are steps.
type Program struct {
	Name   string
	Device *Device
	// Compiled is told by Build how many of its pipelines are ready; it may be nil.
	Compiled func(done, total int)

	dispatches []Dispatch
	transient  []*Tensor
	step       *Tensor
	slots      []*Buffer
	err        error // the first error of recording, reported by Build
	host       programHandle
}

// NewProgram begins a recording.
func (d *Device) NewProgram(name string) *Program { return &Program{Name: name, Device: d} }

// NewTensor makes a transient tensor: it lives from the dispatch that writes it to
// the last that reads it, and shares its buffer with others that live at other times.
func (p *Program) NewTensor(name string, dt DType, shape ...int) *Tensor {
	t := newTensor(p.Device, name, dt, shape)
	p.transient = append(p.transient, t)
	return t
}

// Keep makes a transient tensor of the program persistent: it gets a buffer of its own
// and outlives the program.
func (p *Program) Keep(t *Tensor) {
	t = t.root()
	if t.bands != nil {
		p.Fail("gpu: %s is larger than %d MiB: choose a smaller picture", t, p.Device.piece()>>20)
		return
	}
	if !t.persistent {
		t.persistent = true
		t.buffer = p.Device.NewBuffer(t.Name, t.Bytes())
		p.transient = slices.DeleteFunc(p.transient, func(o *Tensor) bool { return o == t })
	}
}

// Step is a tensor of one u32, the step number that Run was called with: kernels
// choose their row of a table by it, so that every step replays the same list.
func (p *Program) Step() *Tensor {
	if p.step == nil {
		p.step = p.Device.NewTensor(p.Name+".step", U32, 4)
	}
	return p.step
}

// Fail records an error of an operation's arguments; Build reports the first.
func (p *Program) Fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

// Len is the number of dispatches.
func (p *Program) Len() int { return len(p.dispatches) }

// Dispatches lists what was recorded.
func (p *Program) Dispatches() []Dispatch { return slices.Clone(p.dispatches) }

// Cost is about how many floating-point operations a run takes.
func (p *Program) Cost() float64 {
	var sum float64
	for _, d := range p.dispatches {
		sum += d.Cost
	}
	return sum
}

// Dispatch appends a run of a kernel.
func (p *Program) Dispatch(d Dispatch) {
	n := len(p.dispatches)
	for i := range d.Groups {
		d.Groups[i] = max(1, d.Groups[i])
		if d.Groups[i] > p.Device.Limits.MaxComputeWorkgroupsPerDimension {
			p.Fail("gpu: %s (%s) asks for %v workgroups; fold them into another dimension", d.Kernel, d.Label, d.Groups)
		}
	}
	for _, b := range d.Bind {
		if b.tensor == nil {
			continue
		}
		if b.tensor.bands != nil {
			p.Fail("gpu: %s (%s) takes %s whole, and it is larger than %d MiB: choose a smaller picture", d.Kernel, d.Label, b.tensor, p.Device.piece()>>20)
			continue
		}
		if b.tensor.first < 0 {
			b.tensor.first = n
			if !b.write && !b.tensor.persistent && p.err == nil {
				p.Fail("gpu: %s (%s) reads %s, which nothing has written", d.Kernel, d.Label, b.tensor)
			}
		}
		b.tensor.last = n
	}
	p.dispatches = append(p.dispatches, d)
}

// packParams lays scalars out as WGSL's uniform struct of scalars does: four bytes each.
func packParams(params []any) ([]uint32, error) {
	words := make([]uint32, 0, len(params))
	for i, v := range params {
		switch v := v.(type) {
		case int:
			words = append(words, uint32(v))
		case uint32:
			words = append(words, v)
		case int32:
			words = append(words, uint32(v))
		case float32:
			words = append(words, math.Float32bits(v))
		case float64:
			words = append(words, math.Float32bits(float32(v)))
		case bool:
			w := uint32(0)
			if v {
				w = 1
			}
			words = append(words, w)
		default:
			return nil, fmt.Errorf("parameter %d has the type %T", i, v)
		}
	}
	return words, nil
}

// uniformAlign is the default minUniformBufferOffsetAlignment.
const uniformAlign = 256

// params packs every dispatch's uniform into one buffer's contents and gives each
// its byte offset and size.
func (p *Program) params() (words []uint32, offsets, sizes []int, err error) {
	for _, d := range p.dispatches {
		w, err := packParams(d.Params)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("gpu: %s (%s): %w", d.Kernel, d.Label, err)
		}
		for len(w)%4 != 0 {
			w = append(w, 0)
		}
		offsets = append(offsets, 4*len(words))
		sizes = append(sizes, 4*len(w))
		words = append(words, w...)
		for len(words)%(uniformAlign/4) != 0 {
			words = append(words, 0)
		}
	}
	return words, offsets, sizes, nil
}

// check verifies what can be known before anything is allocated.
func (p *Program) check() error {
	if p.err != nil {
		return p.err
	}
	var errs []error
	for _, t := range p.transient {
		if t.first >= 0 {
			errs = append(errs, p.Device.checkSize(t.Name, t.Bytes()))
		}
	}
	for _, d := range p.dispatches {
		if n := len(d.Bind); n > p.Device.Limits.MaxStorageBuffersPerShaderStage {
			errs = append(errs, fmt.Errorf("gpu: %s (%s) binds %d buffers, and this GPU allows %d",
				d.Kernel, d.Label, n, p.Device.Limits.MaxStorageBuffersPerShaderStage))
		}
		for i, a := range d.Bind {
			if a.tensor == nil && a.buffer == nil {
				errs = append(errs, fmt.Errorf("gpu: %s (%s): binding %d is empty", d.Kernel, d.Label, i+1))
			}
		}
	}
	return errors.Join(errs...)
}

// Release frees the program's own buffers; persistent tensors stay.
func (p *Program) Release() {
	for _, b := range p.slots {
		b.Release()
	}
	p.slots = nil
	p.host.params.Release()
	p.step.Release()
	p.step = nil
}
