// Package gpu records neural networks as lists of compute dispatches, plans their memory
// and replays them through WebGPU.
//
// A network is recorded once for each set of shapes. Operations (Linear, Conv2d, Attention
// and others) append dispatches to a Program and name the tensors that they read and
// write. Build plans which tensors share a buffer, compiles the pipelines and makes the
// bind groups. Run replays the list in JavaScript, so that a step costs a few calls
// from Go and not one for each dispatch.
//
// Recording and planning work on any machine, without a GPU (see NewPlanner), so that the
// memory of a plan is known before anything is allocated.
//
// The kernels are those of package wgsl. A dispatch fills a kernel's parameters and
// bindings by name, and recording reports a name or a type that does not agree.
package gpu
