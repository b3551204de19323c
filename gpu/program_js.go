//go:build js && wasm

package gpu

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall/js"
	"time"

	"github.com/cogentcore/webgpu/wgpu"
	"github.com/imprompt/imprompt/gpu/webapi"
)

// programHandle is the WebGPU side of a built Program.
type programHandle struct {
	js     js.Value // a Program in web/js/gpu.js
	params *Buffer
	calls  int // into JavaScript, by the last run
}

// Build plans the program's memory, compiles its pipelines, all at once in the browser's
// background, and makes its bind groups. It reports errors of the recording, of the shaders
// and of memory.
func (p *Program) Build(ctx context.Context) error {
	if err := p.check(); err != nil {
		return err
	}
	d := p.Device
	if err := d.Check(); err != nil {
		return err
	}
	if err := p.runPrepare(ctx); err != nil {
		return err
	}
	entries, signatures, err := p.startCompiling()
	if err != nil || d.compiles != nil {
		return err
	}

	if !p.enclosed {
		d.pushScopes("out-of-memory", "validation")
	}
	p.plan()
	if d.Guard {
		p.fillGuards()
	}
	words, offsets := p.params()
	if len(words) > 0 {
		p.host.params = d.NewBuffer(p.Name+".params", int64(4*len(words)))
		p.host.params.WriteBytes(0, webapi.BytesOf(wgpu.ToBytes(words)))
	}
	groups := js.Global().Get("Array").New(len(p.dispatches))
	list := make([]int32, 0, 6*len(p.dispatches))
	cost := make([]float64, 0, len(p.dispatches))
	for i, ds := range p.dispatches {
		groups.SetIndex(i, p.bindGroup(ds, signatures[i], offsets[i]))
	}
	if !p.enclosed {
		if err := d.caught(ctx, p.Name, d.popScopes(2)); err != nil {
			p.Release()
			return err
		}
	}

	began := time.Now()
	compiling, compiled := map[*pipelineEntry]bool{}, 0 // not those that are ready from an earlier program
	for _, e := range entries {
		if e.ready.IsUndefined() {
			compiling[e] = true
		}
	}
	index := map[*pipelineEntry]int{}
	pipelines := js.Global().Get("Array").New()
	for i, ds := range p.dispatches {
		e := entries[i]
		if _, ok := index[e]; !ok {
			if e.ready.IsUndefined() {
				v, err := webapi.Await(ctx, e.promise)
				if err != nil {
					p.Release()
					return fmt.Errorf("gpu: compiling %s (%s): %w", ds.Kernel, ds.Label, errors.Join(err, d.Check()))
				}
				e.ready = v
			}
			if compiling[e] {
				if compiled++; p.Compiled != nil {
					p.Compiled(compiled, len(compiling))
				}
			}
			index[e] = len(index)
			pipelines.Call("push", e.ready)
		}
		list = append(list, int32(index[e]), int32(i), int32(ds.Groups[0]), int32(ds.Groups[1]), int32(ds.Groups[2]), int32(ds.when))
		cost = append(cost, ds.Cost)
	}
	d.host.compileMS += float64(time.Since(began).Microseconds()) / 1e3
	p.host.js = glue().Call("program", d.host.js, pipelines, groups,
		webapi.TypedArray("Int32Array", wgpu.ToBytes(list)), webapi.TypedArray("Float64Array", wgpu.ToBytes(cost)), p.stepObject(), p.activeSteps())
	return d.Check()
}

// startCompiling begins to compile a pipeline for every dispatch and returns the pipelines
// and the signatures of their bindings.
func (p *Program) startCompiling() ([]*pipelineEntry, []string, error) {
	d := p.Device
	if d.compiles != nil {
		d = d.compiles
	}
	entries := make([]*pipelineEntry, len(p.dispatches))
	signatures := make([]string, len(p.dispatches))
	for i, ds := range p.dispatches {
		var s strings.Builder
		s.WriteByte("-u"[min(1, len(ds.words))])
		for _, b := range ds.Bind {
			if b.write {
				s.WriteByte('w')
			} else {
				s.WriteByte('r')
			}
		}
		signatures[i] = s.String()
		var err error
		if entries[i], err = d.compile(ds, signatures[i]); err != nil {
			return nil, nil, err
		}
	}
	return entries, signatures, nil
}

func (p *Program) bindGroup(ds Dispatch, signature string, offset int) js.Value {
	var entries []wgpu.BindGroupEntry
	if len(ds.words) > 0 {
		entries = append(entries, wgpu.BindGroupEntry{Binding: 0, Buffer: p.host.params.handle.Buffer, Offset: uint64(offset), Size: uint64(4 * len(ds.words))})
	}
	for i, b := range ds.Bind {
		buffer := b.bound()
		n := buffer.Size
		if b.tensor != nil {
			n = b.tensor.Bytes()
		}
		entries = append(entries, wgpu.BindGroupEntry{Binding: uint32(i + 1), Buffer: buffer.handle.Buffer, Size: uint64(n + buffer.guard)})
	}
	group, _ := p.Device.host.wgpu.CreateBindGroup(&wgpu.BindGroupDescriptor{Layout: p.Device.layoutFor(signature).group, Entries: entries})
	return object(group)
}

// bound returns the buffer of a binding. A transient tensor has one once its program is
// planned.
func (b Binding) bound() *Buffer {
	if b.tensor != nil {
		return b.tensor.buffer
	}
	return b.buffer
}

// activeSteps returns the conditions for JavaScript: for each of them, an array with a boolean for each step.
func (p *Program) activeSteps() []any {
	list := make([]any, len(p.conditions))
	for i, c := range p.conditions {
		steps := make([]any, len(c))
		for j, yes := range c {
			steps[j] = yes
		}
		list[i] = steps
	}
	return list
}

func (p *Program) stepObject() any {
	if p.step == nil {
		return nil
	}
	return object(p.step.buffer.handle.Buffer)
}

// Run replays the program for a step and returns when all of it is in the GPU's queue.
// Reading a tensor waits until the GPU has finished it. If ctx ends, Run stops after the
// submission that is under way and returns ctx's error.
func (p *Program) Run(ctx context.Context, step int) error { return p.run(ctx, step, false) }

// RunWait is Run, but returns when the GPU has finished.
func (p *Program) RunWait(ctx context.Context, step int) error { return p.run(ctx, step, true) }

func (p *Program) run(ctx context.Context, step int, wait bool) error {
	if err := ctx.Err(); err != nil || p.Device.compiles != nil {
		return err
	}
	if p.enclosed {
		p.host.js.Call("submit")
		return nil
	}
	before := webapi.Calls()
	defer func() { p.host.calls = webapi.Calls() - before - 1 }() // less this one
	if err := p.Device.Check(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { p.host.js.Call("cancel") })
	defer stop()
	done, err := webapi.Await(context.WithoutCancel(ctx), p.host.js.Call("run", step, wait))
	if err != nil {
		return fmt.Errorf("gpu: %s: %w", p.Name, err)
	}
	if !done.Bool() {
		return context.Cause(ctx)
	}
	return p.Device.Check()
}

// Calls is how many calls into JavaScript the last Run made, where they are counted (see
// webapi.Calls): the same few for any number of dispatches.
func (p *Program) Calls() int { return p.host.calls }

// KernelTime is how long one dispatch took in a Profile.
type KernelTime struct {
	Kernel, Label string
	Milliseconds  float64
	Cost          float64
}

// Profile runs every dispatch separately and measures how long it takes, by the GPU's own
// timestamps if it has them, and otherwise including the wait for the GPU. A dispatch is
// repeated until it has taken at least that long, and Milliseconds is of one run. With 0 it
// runs once. What accumulates in place has no meaningful value afterwards. only lists the
// indices of the dispatches; without it, all are measured.
func (p *Program) Profile(ctx context.Context, step int, atLeast time.Duration, only ...int) ([]KernelTime, error) {
	if only == nil {
		only = make([]int, len(p.dispatches))
		for i := range only {
			only[i] = i
		}
	}
	list := js.Global().Get("Array").New(len(only))
	for i, index := range only {
		list.SetIndex(i, index)
	}
	// It is waited for in any case, because what it still submits would find its buffers destroyed.
	v, err := webapi.Await(context.WithoutCancel(ctx), p.host.js.Call("profile", step, float64(atLeast.Microseconds())/1e3, list))
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	times := make([]KernelTime, len(only))
	for i, index := range only {
		ds := p.dispatches[index]
		times[i] = KernelTime{ds.Kernel, ds.Label, v.Index(i).Float(), ds.Cost}
	}
	return times, p.Device.Check()
}
