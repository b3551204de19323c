//go:build js && wasm

package gpu

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall/js"

	"github.com/cogentcore/webgpu/wgpu"
	"github.com/imprompt/imprompt/gpu/webapi"
)

type bufferHandle struct{ *wgpu.Buffer }

// deviceHandle is the WebGPU side of a Device.
type deviceHandle struct {
	state     js.Value // the object that impromptGPU.open resolved to
	js        js.Value // the GPUDevice
	wgpu      wgpu.Device
	modules   map[string]*pipelineEntry // by moduleKey and binding signature
	layouts   map[string]layout
	compileMS float64
}

type layout struct {
	group    *wgpu.BindGroupLayout
	pipeline js.Value
}

// pipelineEntry is a pipeline that is being compiled (ready is undefined) or is ready.
type pipelineEntry struct {
	promise js.Value
	ready   js.Value
}

// Options choose the device that Open asks for.
type Options struct {
	NoF16 bool // do not use shader-f16 even if the adapter has it
}

func glue() js.Value { return js.Global().Get("impromptGPU") }

// Open asks the browser (or Dawn, in Node) for a GPU, with shader-f16 if the adapter has
// it and with the adapter's own limits. Its error is an OpenError if there is no GPU.
func Open(ctx context.Context, o Options) (*Device, error) {
	if glue().IsUndefined() {
		return nil, errors.New("gpu: web/js/gpu.js was not loaded before the engine")
	}
	state, err := webapi.Await(ctx, glue().Call("open", map[string]any{"noF16": o.NoF16}))
	if err != nil {
		return nil, fmt.Errorf("gpu: %w", err)
	}
	if kind := state.Get("problem"); kind.Truthy() {
		return nil, &OpenError{Kind: kind.String(), Text: state.Get("text").String()}
	}
	d := &Device{}
	d.host.state = state
	d.host.js = state.Get("device")
	d.host.wgpu = wgpu.NewDevice(d.host.js)
	d.host.modules = map[string]*pipelineEntry{}
	d.host.layouts = map[string]layout{}
	d.F16 = d.host.js.Get("features").Call("has", "shader-f16").Bool()
	d.Subgroups = d.host.js.Get("features").Call("has", "subgroups").Bool()
	limits := d.host.js.Get("limits")
	get := func(name string) int64 { return int64(limits.Get(name).Float()) }
	d.Limits = Limits{
		MaxBufferSize:                     get("maxBufferSize"),
		MaxStorageBufferBindingSize:       get("maxStorageBufferBindingSize"),
		MaxComputeWorkgroupStorageSize:    int(get("maxComputeWorkgroupStorageSize")),
		MaxComputeInvocationsPerWorkgroup: int(get("maxComputeInvocationsPerWorkgroup")),
		MaxStorageBuffersPerShaderStage:   int(get("maxStorageBuffersPerShaderStage")),
		MaxComputeWorkgroupsPerDimension:  int(get("maxComputeWorkgroupsPerDimension")),
	}
	info := state.Get("info")
	if d.Subgroups {
		d.SubgroupMin = 4 // the least that WebGPU allows
		if v := info.Get("subgroupMinSize"); v.Type() == js.TypeNumber {
			d.SubgroupMin = v.Int()
		}
	}
	text := func(name string) string {
		if v := info.Get(name); v.Type() == js.TypeString {
			return v.String()
		}
		return ""
	}
	d.Info = AdapterInfo{Vendor: text("vendor"), Architecture: text("architecture"), Device: text("device"), Description: text("description")}
	all := strings.ToLower(d.Info.Vendor + " " + d.Info.Architecture + " " + d.Info.Device + " " + d.Info.Description)
	for _, name := range []string{"swiftshader", "llvmpipe", "lavapipe", "basic render"} {
		d.Info.Software = d.Info.Software || strings.Contains(all, name)
	}
	return d, nil
}

// JS returns the GPUDevice.
func (d *Device) JS() js.Value { return d.host.js }

// Check returns the first error that WebGPU has reported since the last Check, or a
// LostError if the device is lost. WebGPU reports errors after the call that made them.
func (d *Device) Check() error {
	if d.compiles != nil {
		return nil
	}
	if !d.host.state.Get("failed").Bool() {
		return nil
	}
	if s := d.host.state.Get("lost").String(); s != "" {
		return &LostError{Reason: s}
	}
	if s := d.host.state.Get("error").String(); s != "" {
		d.host.state.Set("error", "")
		d.host.state.Set("failed", false)
		if d.host.state.Get("full").Truthy() {
			d.host.state.Set("full", false)
			return &OutOfMemoryError{What: s, Held: d.MemoryBytes()}
		}
		return fmt.Errorf("gpu: %s", s)
	}
	return nil
}

// Allocate calls allocate. The function that it returns waits for the GPU and returns an
// OutOfMemoryError, which names what the memory was for, if the GPU refused memory during the call.
func (d *Device) Allocate(what string, allocate func()) (refused func(ctx context.Context) error) {
	if d.compiles != nil {
		allocate()
		return func(context.Context) error { return nil }
	}
	d.pushScopes("out-of-memory")
	allocate()
	promises := d.popScopes(1)
	return func(ctx context.Context) error { return d.caught(ctx, what, promises) }
}

// Recover waits for the GPU and drops the errors that it has reported. It is called after
// the GPU ran out of memory, when memory has been freed. It fails if the GPU is lost.
func (d *Device) Recover(ctx context.Context) error {
	if err := d.wait(ctx); err != nil {
		return err
	}
	var lost *LostError
	if err := d.Check(); errors.As(err, &lost) {
		return err
	}
	return nil
}

// wait blocks until the GPU has finished everything that was submitted.
func (d *Device) wait(ctx context.Context) error { return d.submitted()(ctx) }

// submitted returns a function that blocks until the GPU has finished everything that was submitted
// before this call.
func (d *Device) submitted() func(ctx context.Context) error {
	if d.compiles != nil {
		return func(context.Context) error { return nil }
	}
	promise := d.host.js.Get("queue").Call("onSubmittedWorkDone")
	promise.Call("catch", glue().Get("ignore"))
	return func(ctx context.Context) error {
		_, err := webapi.Await(ctx, promise)
		return err
	}
}

func (d *Device) pushScopes(filters ...string) {
	for _, f := range filters {
		d.host.js.Call("pushErrorScope", f)
	}
}

// popScopes ends the last n error scopes and returns the promises of what they caught.
func (d *Device) popScopes(n int) []js.Value {
	var promises []js.Value
	for range n {
		promise := d.host.js.Call("popErrorScope")
		promise.Call("catch", glue().Get("ignore")) // caught reports it, if it is asked
		promises = append(promises, promise)
	}
	return promises
}

// caught waits for error scopes and returns the errors that they caught.
func (d *Device) caught(ctx context.Context, what string, promises []js.Value) error {
	var errs []error
	for _, promise := range promises {
		v, err := webapi.Await(context.WithoutCancel(ctx), promise)
		switch {
		case err != nil:
			errs = append(errs, err)
		case v.IsNull():
		case v.InstanceOf(js.Global().Get("GPUOutOfMemoryError")):
			errs = append(errs, &OutOfMemoryError{What: what, Held: d.MemoryBytes()})
		default:
			errs = append(errs, fmt.Errorf("gpu: %s: %s", what, v.Get("message").String()))
		}
	}
	return errors.Join(errs...)
}

// Close frees the GPU.
func (d *Device) Close() { d.host.js.Call("destroy") }

// CompileMilliseconds is how long all calls of Build together have waited for pipelines to
// compile.
func (d *Device) CompileMilliseconds() float64 { return d.host.compileMS }

// Pipelines is the number of different pipelines that were compiled.
func (d *Device) Pipelines() int { return len(d.host.modules) }

func (d *Device) createBuffer(label string, size int64) bufferHandle {
	if d.host.js.IsUndefined() {
		return bufferHandle{}
	}
	b, _ := d.host.wgpu.CreateBuffer(&wgpu.BufferDescriptor{
		Label: label, Size: uint64(size),
		Usage: wgpu.BufferUsageStorage | wgpu.BufferUsageUniform | wgpu.BufferUsageCopySrc | wgpu.BufferUsageCopyDst,
	})
	return bufferHandle{b}
}

func (b *Buffer) destroy() {
	if b.handle.Buffer != nil {
		b.handle.Destroy()
	}
}

// WriteBytes queues a copy of p into the buffer. The offset in bytes is a multiple of
// four. The caller may change p afterwards.
func (b *Buffer) WriteBytes(offset int64, p webapi.Bytes) {
	if b.handle.Buffer != nil {
		glue().Call("write", b.device.host.js, object(b.handle.Buffer), offset, p)
	}
}

// ReadBytes waits for everything that was submitted and returns a copy of size bytes. On a planner they are zero.
func (b *Buffer) ReadBytes(ctx context.Context, offset, size int64) (webapi.Bytes, error) {
	if b.device.compiles != nil {
		return js.Global().Get("Uint8Array").New(size), nil
	}
	if err := b.device.Check(); err != nil {
		return js.Undefined(), err
	}
	// The wait ignores ctx: if the mapping were abandoned, its staging buffer would leak.
	v, err := webapi.Await(context.WithoutCancel(ctx), glue().Call("read", b.device.host.js, object(b.handle.Buffer), offset, (size+3)&^3))
	if err != nil {
		return js.Undefined(), fmt.Errorf("gpu: reading %s back: %w", b.Label, err)
	}
	if err := b.device.Check(); err != nil {
		return js.Undefined(), err
	}
	return v.Call("subarray", 0, size), nil
}

// layoutFor returns the layout of a dispatch's bindings. The signature has a letter for
// each: u is the uniform (or - if there is none), r and w are storage that is read or
// written. WebGPU's own layout, "auto", leaves out a binding that a constant switches off.
func (d *Device) layoutFor(signature string) layout {
	if l, ok := d.host.layouts[signature]; ok {
		return l
	}
	var entries []wgpu.BindGroupLayoutEntry
	for i, c := range signature {
		kind := wgpu.BufferBindingTypeReadOnlyStorage
		switch c {
		case 'u':
			kind = wgpu.BufferBindingTypeUniform
		case 'w':
			kind = wgpu.BufferBindingTypeStorage
		case '-':
			continue
		}
		entries = append(entries, wgpu.BindGroupLayoutEntry{
			Binding: uint32(i), Visibility: wgpu.ShaderStageCompute, Buffer: wgpu.BufferBindingLayout{Type: kind}})
	}
	group, _ := d.host.wgpu.CreateBindGroupLayout(&wgpu.BindGroupLayoutDescriptor{Entries: entries})
	pipeline, _ := d.host.wgpu.CreatePipelineLayout(&wgpu.PipelineLayoutDescriptor{BindGroupLayouts: []*wgpu.BindGroupLayout{group}})
	l := layout{group: group, pipeline: object(pipeline)}
	d.host.layouts[signature] = l
	return l
}

// compile begins to compile the pipeline of a dispatch, once for each module and signature.
func (d *Device) compile(ds Dispatch, signature string) (*pipelineEntry, error) {
	key := signature + " " + d.moduleKey(ds)
	if e, ok := d.host.modules[key]; ok {
		return e, nil
	}
	source, err := d.Module(ds)
	if err != nil {
		return nil, err
	}
	label := ds.Kernel
	l := d.layoutFor(signature)
	module, _ := d.host.wgpu.CreateShaderModule(&wgpu.ShaderModuleDescriptor{
		Label: label, WGSLDescriptor: &wgpu.ShaderModuleWGSLDescriptor{Code: source}})
	e := &pipelineEntry{}
	e.promise = d.host.js.Call("createComputePipelineAsync", map[string]any{
		"label": label, "layout": l.pipeline,
		"compute": map[string]any{"module": object(module), "entryPoint": "main"},
	})
	// Build awaits the promise later and reports a failure then.
	e.promise.Call("catch", glue().Get("ignore"))
	d.host.modules[key] = e
	return e, nil
}

// moduleKey identifies the Module of a dispatch among those of a device. It is much shorter.
func (d *Device) moduleKey(ds Dispatch) string {
	var s strings.Builder
	s.WriteString(ds.Kernel + " " + string(d.numbers(ds)))
	for _, c := range ds.Consts {
		s.WriteByte(' ')
		s.WriteString(c.Name)
		switch v := c.Value.(type) {
		case int:
			s.WriteString(strconv.Itoa(v))
		case bool:
			s.WriteString(strconv.FormatBool(v))
		}
	}
	return s.String()
}
