package gpu

import (
	"context"
	"fmt"
)

// Limits are the WebGPU limits that the engine depends on.
type Limits struct {
	MaxBufferSize                     int64
	MaxStorageBufferBindingSize       int64
	MaxComputeWorkgroupStorageSize    int
	MaxComputeInvocationsPerWorkgroup int
	MaxStorageBuffersPerShaderStage   int
	MaxComputeWorkgroupsPerDimension  int
}

// DefaultLimits are the limits that every WebGPU adapter supports.
var DefaultLimits = Limits{
	MaxBufferSize:                     256 << 20,
	MaxStorageBufferBindingSize:       128 << 20,
	MaxComputeWorkgroupStorageSize:    16 << 10,
	MaxComputeInvocationsPerWorkgroup: 256,
	MaxStorageBuffersPerShaderStage:   8,
	MaxComputeWorkgroupsPerDimension:  65535,
}

// AdapterInfo describes what the device runs on, in the browser's words.
type AdapterInfo struct {
	Vendor, Architecture, Device, Description string
	Software                                  bool // a processor emulates the GPU: SwiftShader, lavapipe, WARP
}

func (a AdapterInfo) String() string {
	for _, s := range []string{a.Description, a.Device, a.Architecture, a.Vendor} {
		if s != "" {
			return s
		}
	}
	return "unknown adapter"
}

// emulated says whether a processor emulates the GPU. Such a device runs the kernels whose
// names end in _cpu, unless SetKernels says otherwise; conv2d_cpu.wgsl says why. They need
// subgroups, which SwiftShader and lavapipe both have; without subgroups the device runs a
// GPU's kernels.
func (d *Device) emulated() bool { return d.Info.Software && d.Subgroups }

// Device is a GPU, or a planner without one (see NewPlanner).
type Device struct {
	Subgroups bool // WGSL's subgroups, which include quadBroadcast
	// SubgroupMin is the smallest number of threads that a subgroup may have, or 0 without subgroups.
	SubgroupMin int
	F16         bool // shader-f16: activations are stored as f16 and computed with as f32
	Limits      Limits
	Info        AdapterInfo
	// Guard is for tests. It gives every tensor a buffer of its own, which is filled with
	// NaN and followed by a band of NaN. A kernel that reads what was never written, or
	// past the end, then shows it in its result, and Program.CheckGuards finds writes past
	// the end.
	Guard bool

	kernels Kernels
	// compiles, if it is not nil, makes this a planner from Planner.
	compiles *Device
	memory   memory
	uploads  int                             // calls of Uploading that are not done
	staging  *Buffer                         // see stagingBuffer
	passed   int64                           // bytes of weights since the last collection
	arrived  func(ctx context.Context) error // waits for the weights before those, or is nil
	//lint:ignore U1000 empty on the host
	host deviceHandle
}

// NewPlanner returns a device without a GPU. Programs can be recorded and planned on it,
// and their memory is counted, but nothing runs and all that is read is zero.
func NewPlanner(f16 bool, limits Limits) *Device { return &Device{F16: f16, Limits: limits} }

// Planner returns a planner that compiles for d: Build begins to compile a program's pipelines for d, in the
// browser's background, and allocates nothing. Weights can be uploaded to it without being read. So the
// pipelines of a network can be compiled while its weights are still on their way to d.
func (d *Device) Planner() *Device {
	return &Device{Subgroups: d.Subgroups, SubgroupMin: d.SubgroupMin, F16: d.F16, Limits: d.Limits, Info: d.Info, kernels: d.kernels, compiles: d}
}

// MemoryBytes is how much memory the device's buffers take now.
func (d *Device) MemoryBytes() int64 { return d.memory.now }

// PeakMemoryBytes is the largest value of MemoryBytes since ResetPeakMemory.
func (d *Device) PeakMemoryBytes() int64 { return d.memory.peak }

// ResetPeakMemory begins PeakMemoryBytes anew.
func (d *Device) ResetPeakMemory() { d.memory.peak = d.memory.now }

// NewTensor makes a persistent tensor. It keeps its contents between runs, and every
// program of the device may bind it. It is zero at first.
func (d *Device) NewTensor(name string, dt DType, shape ...int) *Tensor {
	t := newTensor(d, name, dt, shape)
	t.persistent = true
	t.buffer = d.NewBuffer(name, t.Bytes())
	return t
}

// checkSize reports a tensor that is too large for one binding of the device.
func (d *Device) checkSize(what string, size int64) error {
	if limit := min(d.Limits.MaxStorageBufferBindingSize, d.Limits.MaxBufferSize); size > limit {
		return fmt.Errorf("gpu: %s needs %d MiB in one piece, and this GPU binds at most %d MiB: choose a smaller picture",
			what, size>>20, limit>>20)
	}
	return nil
}
