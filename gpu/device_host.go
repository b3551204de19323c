//go:build !js

package gpu

import (
	"context"
	"errors"
)

// errNoGPU is what a planner's device answers when it is asked to run.
var errNoGPU = errors.New("gpu: this device only plans; a GPU is reached from WebAssembly, in a browser or in Node")

// What stands for WebGPU's objects where there is no GPU.
type (
	bufferHandle  struct{}
	deviceHandle  struct{}
	programHandle struct{ params *Buffer }
)

func (d *Device) createBuffer(string, int64) bufferHandle { return bufferHandle{} }
func (b *Buffer) destroy()                                {}

// Check has nothing to report on the host.
func (d *Device) Check() error { return nil }

// WriteBytes does nothing on the host.
func (b *Buffer) WriteBytes(int64, Bytes) {}

// ReadBytes fails on the host.
func (b *Buffer) ReadBytes(context.Context, int64, int64) (Bytes, error) { return nil, errNoGPU }

// Build checks the recording and plans its memory, so that PeakMemoryBytes counts it.
func (p *Program) Build(context.Context) error {
	if err := p.check(); err != nil {
		return err
	}
	for _, d := range p.dispatches {
		if _, err := p.Device.shaderSource(d.Kernel, d.Consts); err != nil {
			return err
		}
	}
	p.plan()
	words, _, _, err := p.params()
	if len(words) > 0 {
		p.host.params = p.Device.NewBuffer(p.Name+".params", int64(4*len(words)))
	}
	return err
}

// Run fails on the host.
func (p *Program) Run(context.Context, int) error { return errNoGPU }

// RunWait fails on the host.
func (p *Program) RunWait(context.Context, int) error { return errNoGPU }
