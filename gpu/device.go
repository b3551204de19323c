// Package gpu records neural networks as lists of compute dispatches, plans their
// memory and replays them through WebGPU.
//
// A network is recorded once per shape: operations (Linear, Conv2d, Attention …)
// append dispatches to a Program and name the tensors they read and write. Build
// plans which tensors share a buffer, compiles the pipelines and makes the bind
// groups; Run replays the list with one call into JavaScript.
//
// Recording and planning work on any machine, without a GPU (see NewPlanner), so
// that the memory of a plan can be known before anything is allocated.
package gpu

import "fmt"

// Limits are those of WebGPU that the engine cares for.
type Limits struct {
	MaxBufferSize                     int64
	MaxStorageBufferBindingSize       int64
	MaxComputeWorkgroupStorageSize    int
	MaxComputeInvocationsPerWorkgroup int
	MaxStorageBuffersPerShaderStage   int
	MaxComputeWorkgroupsPerDimension  int
}

// DefaultLimits are those that every WebGPU adapter has.
var DefaultLimits = Limits{
	MaxBufferSize:                     256 << 20,
	MaxStorageBufferBindingSize:       128 << 20,
	MaxComputeWorkgroupStorageSize:    16 << 10,
	MaxComputeInvocationsPerWorkgroup: 256,
	MaxStorageBuffersPerShaderStage:   8,
	MaxComputeWorkgroupsPerDimension:  65535,
}

// AdapterInfo says what the device runs on, in the browser's words.
type AdapterInfo struct {
	Vendor, Architecture, Device, Description string
	Software                                  bool // a CPU that plays a GPU: SwiftShader, lavapipe, WARP
}

func (a AdapterInfo) String() string {
	for _, s := range []string{a.Description, a.Device, a.Architecture, a.Vendor} {
		if s != "" {
			return s
		}
	}
	return "unknown adapter"
}

// playsGPU says whether kernels of their own are for this device (conv2d_cpu.wgsl says
// why). Both processors that play GPUs have subgroups; without, a GPU's kernels do.
func (d *Device) playsGPU() bool { return d.Info.Software && d.Subgroups }

// Device is a GPU, or, from NewPlanner, only the plan of one.
type Device struct {
	Subgroups bool        // WGSL's subgroups, and with them quadBroadcast
	F16       bool        // shader-f16: activations are F16, and arithmetic on them widens to f32
	Weights   WeightDType // how matrices lie in memory; WeightF32 only without F16
	Limits    Limits
	Info      AdapterInfo
	// Guard, for tests, gives every tensor a buffer of its own, filled with NaN and
	// followed by a band of NaN: a read of what was never written, or past the end,
	// shows in the result, and Program.CheckGuards finds writes past the end.
	Guard bool

	memory memory
	passed int64 // bytes of weights since the last collection
	//lint:ignore U1000 on the host there is nothing behind it
	host deviceHandle
}

// NewPlanner returns a device without a GPU: programs can be recorded and planned
// on it and its memory is accounted for, but nothing runs and what is read is zero.
func NewPlanner(f16 bool, limits Limits) *Device { return &Device{F16: f16, Limits: limits} }

// MemoryBytes is what the device's live buffers take.
func (d *Device) MemoryBytes() int64 { return d.memory.now }

// PeakMemoryBytes is the most that MemoryBytes was since ResetPeakMemory.
func (d *Device) PeakMemoryBytes() int64 { return d.memory.peak }

// ResetPeakMemory starts a new count of PeakMemoryBytes.
func (d *Device) ResetPeakMemory() { d.memory.peak = d.memory.now }

// NewTensor makes a persistent tensor: it keeps its contents between runs, and any
// program of the device may bind it. It begins as zeros.
func (d *Device) NewTensor(name string, dt DType, shape ...int) *Tensor {
	t := newTensor(d, name, dt, shape)
	t.persistent = true
	t.buffer = d.NewBuffer(name, t.Bytes())
	return t
}

// checkSize says whether a tensor fits the device's bindings.
func (d *Device) checkSize(what string, size int64) error {
	if limit := min(d.Limits.MaxStorageBufferBindingSize, d.Limits.MaxBufferSize); size > limit {
		return fmt.Errorf("gpu: %s needs %d MiB in one piece, and this GPU binds at most %d MiB: choose a smaller picture",
			what, size>>20, limit>>20)
	}
	return nil
}
