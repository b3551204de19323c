package nn

import (
	"context"
	"slices"

	"github.com/imprompt/imprompt/gpu"
)

// Numbers is torch's Parameter, kept in Go's heap: a small one that is worked with before or after the GPU.
type Numbers struct {
	Values []float32 // in row-major order
	shape  []int
}

// NewNumbers lays the parameter out.
func NewNumbers(shape ...int) *Numbers { return &Numbers{shape: shape} }

func (l *Numbers) wants(prefix string) []want {
	return []want{{key: plain(prefix), shape: slices.Clone(l.shape)}}
}

func (l *Numbers) upload(ctx context.Context, _ *gpu.Device, params []gpu.Parameter) (err error) {
	l.Values, err = params[0].Float32(ctx)
	return err
}

func (l *Numbers) release() { l.Values = nil }
