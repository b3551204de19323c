package nn

import (
	"context"

	"github.com/imprompt/imprompt/gpu"
)

// LayerScale is transformers' Dinov2LayerScale: a factor for each channel of a layer's result, gpu.LinearOptions.Lambda.
type LayerScale struct {
	channels int
	factors  *gpu.Tensor
}

// NewLayerScale lays the factors out.
func NewLayerScale(channels int) *LayerScale { return &LayerScale{channels: channels} }

func (l *LayerScale) wants(prefix string) []want {
	return []want{{key: plain(prefix) + ".lambda1", shape: []int{l.channels}}}
}

func (l *LayerScale) upload(ctx context.Context, d *gpu.Device, params []gpu.Parameter) error {
	values, err := params[0].Float32(ctx)
	if err != nil {
		return err
	}
	l.factors = d.NewTensor(params[0].Name, gpu.F32, 1, l.channels)
	l.factors.SetFloat32(values)
	return nil
}

func (l *LayerScale) release() { l.factors.Release(); l.factors = nil }

// Forward returns the factors, F32 [1, channels].
func (l *LayerScale) Forward() *gpu.Tensor { return l.factors }
