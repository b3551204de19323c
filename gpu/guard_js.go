//go:build js && wasm

package gpu

import (
	"bytes"
	"context"
	"fmt"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// nan returns n bytes of 0xff, which are NaN as f16 and as f32, and a huge number as u32.
func nan(n int64) []byte { return bytes.Repeat([]byte{0xff}, int(n)) }

// fillGuards fills the program's transient tensors, and the band after every buffer that it
// binds, with NaN.
func (p *Program) fillGuards() {
	for _, t := range p.transient {
		if t.buffer != nil {
			t.buffer.WriteBytes(0, webapi.BytesOf(nan(t.buffer.Size+t.buffer.guard)))
		}
	}
	for _, d := range p.dispatches {
		for _, b := range d.Bind {
			if b := b.bound(); b.guard > 0 {
				b.WriteBytes(b.Size, webapi.BytesOf(nan(b.guard)))
			}
		}
	}
}

// CheckGuards reports the first buffer that was written past its end. It is for tests, on a
// device with Guard.
func (p *Program) CheckGuards(ctx context.Context) error {
	for _, d := range p.dispatches {
		for i, bind := range d.Bind {
			b := bind.bound()
			if b.guard == 0 || !bind.write {
				continue
			}
			band, err := b.ReadBytes(ctx, b.Size, b.guard)
			if err != nil {
				return err
			}
			if !bytes.Equal(webapi.GoBytes(band), nan(b.guard)) {
				return fmt.Errorf("gpu: %s (%s) wrote beyond the end of %s, binding %d", d.Kernel, d.Label, b.Label, i+1)
			}
		}
	}
	return nil
}
