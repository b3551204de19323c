package gpu

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/imprompt/imprompt/wgsl"
)

// Dispatch is one run of a kernel.
type Dispatch struct {
	Kernel string    // the name of its wgsl file, without .wgsl
	Label  string    // what it computes, in the checkpoint's words: "down_blocks.0.resnets.0.conv1"
	Consts []Const   // compiled in
	Params []Param   // the fields of the kernel's struct Params, in any order
	Bind   []Binding // the kernel's storage buffers, in any order
	Groups [3]int    // workgroups; a zero counts as one
	// Weights is the type of the weights that the kernel binds, if it binds any.
	Weights WeightDType
	Cost    float64 // about how many floating-point operations; long lists are cut by it
	// Moves is about how many bytes it reads and writes, if that is only a part of what it binds.
	Moves int64

	words []uint32 // Params as the uniform's contents
	when  int      // the number of the condition under which it runs, from 1 on; 0 for none
}

// Bytes is the size of what a recorded dispatch binds, each buffer once, or of the part that it
// reads and writes.
func (d Dispatch) Bytes() int64 {
	if d.Moves > 0 {
		return d.Moves
	}
	var sum int64
	seen := map[any]bool{}
	for _, b := range d.Bind {
		switch {
		case b.tensor != nil && !seen[b.tensor]:
			seen[b.tensor] = true
			sum += b.tensor.Bytes()
		case b.tensor == nil && !seen[b.buffer]:
			seen[b.buffer] = true
			sum += b.buffer.Size
		}
	}
	return sum
}

// Program is a recorded list of dispatches. Operations record into it; then it is built once
// and run once for each step.
type Program struct {
	Name   string
	Device *Device
	// Build calls Compiled, unless it is nil, each time a pipeline is ready that was not ready before.
	Compiled func(done, total int)
	// Saturation notes what Watch sees. It is nil if nothing is watched.
	Saturation *Saturation

	// enclosed is for programs that are many and run once: Build and Run do not wait for the GPU, so that its
	// errors reach Device.Check, or an Allocate around them.
	enclosed   bool
	prepare    []Dispatch // Build runs them once: they make what the program's own dispatches read
	phased     map[*ConvWeight]*ConvWeight
	dispatches []Dispatch
	transient  []*Tensor
	step       *Tensor
	conditions [][]bool // of When: for each condition, whether it is true, by step
	when       int      // the number of the condition of what is being recorded, from 1 on; 0 for none
	slots      []*Buffer
	err        error // the first error of recording, which Build reports
	host       programHandle
}

// NewProgram returns an empty program.
func (d *Device) NewProgram(name string) *Program { return &Program{Name: name, Device: d} }

// NewTensor makes a transient tensor. It is alive from the dispatch that writes it to the
// last one that reads it, and shares its buffer with tensors that are alive at other times.
func (p *Program) NewTensor(name string, dt DType, shape ...int) *Tensor {
	t := newTensor(p.Device, name, dt, shape)
	p.transient = append(p.transient, t)
	return t
}

// Keep makes a transient tensor of the program persistent. It gets a buffer of its own and
// outlives the program.
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

// Step is a tensor that holds the number that Run was called with. Kernels choose their row
// of a table by it, so that every step replays the same list.
func (p *Program) Step() *Tensor {
	if p.step == nil {
		p.step = p.Device.NewTensor(p.Name+".step", U32, 4)
	}
	return p.step
}

// When records dispatches that run only in some steps. active has an entry for each step, and is true for
// those steps. nil means all steps. Within another When, dispatches run in the steps of both. A tensor that
// is read in a step has to be written in the same step.
func (p *Program) When(active []bool, record func()) {
	if active == nil {
		record()
		return
	}
	outer := p.when
	defer func() { p.when = outer }()
	both := slices.Clone(active)
	if outer > 0 {
		for i := range both {
			both[i] = both[i] && p.conditions[outer-1][i]
		}
	}
	at := slices.IndexFunc(p.conditions, func(c []bool) bool { return slices.Equal(c, both) })
	if at < 0 {
		at = len(p.conditions)
		p.conditions = append(p.conditions, both)
	}
	p.when = at + 1
	record()
}

// Active reports whether a dispatch of the program runs in a step.
func (p *Program) Active(d Dispatch, step int) bool {
	return d.when == 0 || step < len(p.conditions[d.when-1]) && p.conditions[d.when-1][step]
}

// Not returns the other steps, for another When. For nil, which means all steps, it returns an empty list,
// which means none.
func Not(active []bool) []bool {
	others := make([]bool, len(active))
	for i, yes := range active {
		others[i] = !yes
	}
	return others
}

// runPrepare runs the dispatches in prepare.
func (p *Program) runPrepare(ctx context.Context) error {
	if len(p.prepare) == 0 {
		return nil
	}
	once := p.Device.NewProgram(p.Name + " (preparation)")
	defer once.Release()
	for _, d := range p.prepare {
		once.Dispatch(d)
	}
	if err := once.Build(ctx); err != nil {
		return err
	}
	return once.Run(ctx, 0)
}

// Fail records an error in an operation's arguments. Build reports the first one.
func (p *Program) Fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

// Len is the number of dispatches.
func (p *Program) Len() int { return len(p.dispatches) }

// Dispatches returns a copy of the list.
func (p *Program) Dispatches() []Dispatch { return slices.Clone(p.dispatches) }

// Cost is about how many floating-point operations a run takes.
func (p *Program) Cost() float64 {
	var sum float64
	for _, d := range p.dispatches {
		sum += d.Cost
	}
	return sum
}

// Dispatch appends a run of a kernel. It checks that the parameters and the bindings are
// those that the kernel declares.
func (p *Program) Dispatch(d Dispatch) {
	n := len(p.dispatches)
	d.when = p.when
	k, err := wgsl.Load(d.Kernel)
	if err == nil {
		d.words, err = packParams(k, d.Params)
	}
	if err == nil {
		d.Bind, err = arrange(k, d.Bind)
	}
	if err != nil {
		p.Fail("gpu: %s (%s): %w", d.Kernel, d.Label, err)
		return
	}
	for i := range d.Groups {
		d.Groups[i] = max(1, d.Groups[i])
		if d.Groups[i] > p.Device.Limits.MaxComputeWorkgroupsPerDimension {
			p.Fail("gpu: %s (%s) has %v workgroups, and this GPU allows fewer in one dimension: use another dimension, too", d.Kernel, d.Label, d.Groups)
		}
	}
	for _, b := range d.Bind {
		if b.tensor == nil {
			continue
		}
		if b.tensor.bands != nil {
			p.Fail("gpu: %s (%s) needs %s in one piece, and it is larger than %d MiB: choose a smaller picture", d.Kernel, d.Label, b.tensor, p.Device.piece()>>20)
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

// uniformAlign is the default of WebGPU's minUniformBufferOffsetAlignment.
const uniformAlign = 256

// params puts the uniforms of all dispatches into the contents of one buffer and gives
// the byte offset of each.
func (p *Program) params() (words []uint32, offsets []int) {
	for _, d := range p.dispatches {
		offsets = append(offsets, 4*len(words))
		words = append(words, d.words...)
		for len(words)%(uniformAlign/4) != 0 {
			words = append(words, 0)
		}
	}
	return words, offsets
}

// check reports what is wrong with the program, before anything is allocated.
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
	}
	return errors.Join(errs...)
}

// Release frees the program's own buffers. Persistent tensors stay.
func (p *Program) Release() {
	for _, b := range p.slots {
		b.Release()
	}
	for _, w := range p.phased {
		w.packed.Release()
	}
	p.slots, p.phased = nil, nil
	p.host.params.Release()
	p.step.Release()
	p.step = nil
}
