//go:build !js

package gpu

import (
	"context"

	"github.com/imprompt/imprompt/gpu/webapi"
)

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

// Allocate runs do.
func (d *Device) Allocate(_ context.Context, _ string, do func() error) error { return do() }

// Recover has nothing to wait for.
func (d *Device) Recover(context.Context) error { return nil }

func (d *Device) wait(context.Context) error { return nil }

// WriteBytes does nothing on the host.
func (b *Buffer) WriteBytes(int64, webapi.Bytes) {}

// ReadBytes gives zeros on the host, where nothing has run.
func (b *Buffer) ReadBytes(_ context.Context, _, size int64) (webapi.Bytes, error) {
	return make(webapi.Bytes, size), nil
}

// Build checks the recording and plans its memory, so that PeakMemoryBytes counts it.
func (p *Program) Build(context.Context) error {
	if err := p.check(); err != nil {
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

// Run does nothing on the host, so that a whole run can be planned there.
func (p *Program) Run(ctx context.Context, _ int) error { return ctx.Err() }

// Calls is 0 on the host, where there is no JavaScript.
func (p *Program) Calls() int { return 0 }

// RunWait does nothing on the host.
func (p *Program) RunWait(ctx context.Context, _ int) error { return ctx.Err() }
