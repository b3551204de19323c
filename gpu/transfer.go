package gpu

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// SetFloat32 converts values, in row-major order without padding, to the tensor's type and
// queues a copy into the tensor.
func (t *Tensor) SetFloat32(values []float32) {
	rows, c, pitch := t.Rows(), t.Channels(), t.Pitch()
	if len(values) != rows*c {
		panic(fmt.Sprintf("gpu: %s takes %d numbers, not %d", t, rows*c, len(values)))
	}
	size := t.DType.Size()
	p := make([]byte, t.Bytes())
	for r := range rows {
		for i, v := range values[r*c : (r+1)*c] {
			at := (r*pitch + i) * size
			if t.DType == F16 {
				binary.LittleEndian.PutUint16(p[at:], Float16(v))
			} else {
				binary.LittleEndian.PutUint32(p[at:], math.Float32bits(v))
			}
		}
	}
	t.root().buffer.WriteBytes(0, webapi.BytesOf(p))
}

// SetUint32 queues a copy of values, in row-major order without padding, into a U32 tensor.
func (t *Tensor) SetUint32(values []uint32) {
	rows, c, pitch := t.Rows(), t.Channels(), t.Pitch()
	if len(values) != rows*c {
		panic(fmt.Sprintf("gpu: %s takes %d numbers, not %d", t, rows*c, len(values)))
	}
	p := make([]byte, t.Bytes())
	for i, v := range values {
		binary.LittleEndian.PutUint32(p[4*(i/c*pitch+i%c):], v)
	}
	t.root().buffer.WriteBytes(0, webapi.BytesOf(p))
}

// Float32 waits for the GPU and returns the tensor's numbers, in row-major order without
// padding.
func (t *Tensor) Float32(ctx context.Context) ([]float32, error) {
	b, err := t.root().buffer.ReadBytes(ctx, 0, t.Bytes())
	if err != nil {
		return nil, err
	}
	p := webapi.GoBytes(b)
	rows, c, pitch, size := t.Rows(), t.Channels(), t.Pitch(), t.DType.Size()
	values := make([]float32, rows*c)
	for r := range rows {
		for i := range c {
			at := (r*pitch + i) * size
			if t.DType == F16 {
				values[r*c+i] = Float32(binary.LittleEndian.Uint16(p[at:]))
			} else {
				values[r*c+i] = math.Float32frombits(binary.LittleEndian.Uint32(p[at:]))
			}
		}
	}
	return values, nil
}

// Read waits for the GPU and returns the tensor's bytes, including padding.
func (t *Tensor) Read(ctx context.Context) (webapi.Bytes, error) {
	return t.root().buffer.ReadBytes(ctx, 0, t.Bytes())
}
