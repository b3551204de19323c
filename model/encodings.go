package model

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"

	"github.com/imprompt/imprompt/gpu"
)

// encodings keep what the encoders made of words and pictures, which is small, so that a
// run with another seed or other words does not need the image encoder again.
type encodings struct{ list []encoding } // the one used last is last

type encoding struct {
	key    string
	tensor *gpu.Tensor
}

// manyEncodings is how many are kept from one run to the next.
const manyEncodings = 16

func (e *encodings) get(key string, encode func() (*gpu.Tensor, error)) (*gpu.Tensor, error) {
	for i, x := range e.list {
		if x.key == key {
			e.list = append(append(e.list[:i:i], e.list[i+1:]...), x)
			return x.tensor, nil
		}
	}
	t, err := encode()
	if err == nil {
		e.list = append(e.list, encoding{key, t})
	}
	return t, err
}

// trim drops the oldest. It is called between runs, which hold what they got.
func (e *encodings) trim() {
	for len(e.list) > manyEncodings {
		e.list[0].tensor.Release()
		e.list = e.list[1:]
	}
}

func (e *encodings) release() {
	for _, x := range e.list {
		x.tensor.Release()
	}
	e.list = nil
}

// ReleaseEncodings frees what is kept of words and pictures between runs.
func (p *Pipeline) ReleaseEncodings() { p.encoded.release() }

// imageKey names pictures, and the networks that read them.
func imageKey(im ImagePrompt, pixels [][]float32, batch int) string {
	h := fnv.New128a()
	var b []byte
	for _, p := range pixels {
		b = b[:0]
		for _, v := range p {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		h.Write(b)
	}
	return fmt.Sprintf("pictures %p %p %d %x", im.Vision, im.Adapter, batch, h.Sum(nil))
}

// entry copies batch entry b of x, [B, T, C]: [1, T, C].
func entry(ctx context.Context, d *gpu.Device, x *gpu.Tensor, b int) (*gpu.Tensor, error) {
	batch, tokens, channels := x.Shape[0], x.Shape[1], x.Shape[2]
	return once(ctx, d, x.Name, func(p *gpu.Program) *gpu.Tensor {
		return gpu.SliceTokens(p, x.Reshape(1, batch*tokens, channels), b*tokens, tokens)
	})
}
