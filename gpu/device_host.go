//go:build !js

package gpu

import (
	"context"
	"errors"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// On the host there is no GPU: these stand in for WebGPU's objects.
type (
	bufferHandle  struct{}
	deviceHandle  struct{}
	programHandle struct{ params *Buffer }
)

func (d *Device) createBuffer(string, int64) bufferHandle { return bufferHandle{} }
func (b *Buffer) destroy()                                {}

// Check returns nil: on the host nothing can fail.
func (d *Device) Check() error { return nil }

// Allocate calls allocate, and nothing is refused.
func (d *Device) Allocate(_ string, allocate func()) (refused func(ctx context.Context) error) {
	allocate()
	return d.submitted()
}

// Recover returns nil: on the host there is nothing to wait for.
func (d *Device) Recover(context.Context) error { return nil }

func (d *Device) wait(context.Context) error { return nil }

func (d *Device) submitted() func(ctx context.Context) error { return d.wait }

// WriteBytes does nothing on the host.
func (b *Buffer) WriteBytes(int64, webapi.Bytes) {}

// ReadBytes returns zeros: on the host nothing has run.
func (b *Buffer) ReadBytes(_ context.Context, _, size int64) (webapi.Bytes, error) {
	return make(webapi.Bytes, size), nil
}

// Build checks the recording and plans the program's memory, which PeakMemoryBytes then
// counts.
func (p *Program) Build(ctx context.Context) error {
	if err := p.check(); err != nil {
		return err
	}
	if err := p.runPrepare(ctx); err != nil {
		return err
	}
	for _, d := range p.dispatches {
		if _, err := p.Device.Module(d); err != nil {
			return err
		}
	}
	p.plan()
	if words, _ := p.params(); len(words) > 0 {
		p.host.params = p.Device.NewBuffer(p.Name+".params", int64(4*len(words)))
	}
	return nil
}

// Run does nothing on the host, so that a whole picture can be planned there.
func (p *Program) Run(ctx context.Context, _ int) error { return ctx.Err() }

// Calls is 0 on the host, where there is no JavaScript.
func (p *Program) Calls() int { return 0 }

// RunWait does nothing on the host.
func (p *Program) RunWait(ctx context.Context, _ int) error { return ctx.Err() }

// Try fails on the host, where there is nothing to measure.
func (d *Device) Try(context.Context) (Trials, error) {
	return Trials{}, errors.New("gpu: kernels are measured on a GPU")
}

// Paces fails on the host, where there is nothing to measure.
func (d *Device) Paces(context.Context) (map[string]float64, error) {
	return nil, errors.New("gpu: a pace is measured on a GPU")
}
