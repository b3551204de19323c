package nn

import (
	"context"

	"github.com/imprompt/imprompt/gpu"
)

// norm is what both norms share: a scale and a shift for each channel.
type norm struct {
	channels int
	eps      float64
	weights  *gpu.NormWeight
}

func (l *norm) wants(prefix string) []want {
	return []want{{key: plain(prefix) + ".weight", shape: []int{l.channels}}, {key: plain(prefix) + ".bias", shape: []int{l.channels}}}
}

func (l *norm) upload(ctx context.Context, d *gpu.Device, params []gpu.Parameter) error {
	scale, err := d.UploadVector(ctx, params[0].Name, params[0])
	if err != nil {
		return err
	}
	shift, err := d.UploadVector(ctx, params[1].Name, params[1])
	if err != nil {
		scale.Release()
		return err
	}
	l.weights = gpu.NewNormWeight(l.channels, scale, shift)
	return nil
}

func (l *norm) release() { l.weights.Release(); l.weights = nil }

// LayerNorm is torch's LayerNorm over the channels.
type LayerNorm struct{ norm }

// NewLayerNorm lays the norm out.
func NewLayerNorm(channels int, eps float64) *LayerNorm {
	return &LayerNorm{norm{channels: channels, eps: eps}}
}

// Forward normalises x over its last dimension.
func (l *LayerNorm) Forward(p *gpu.Program, x *gpu.Tensor, label string) *gpu.Tensor {
	return gpu.LayerNorm(p, x, l.weights, l.eps, label)
}

// GroupNorm is torch's GroupNorm.
type GroupNorm struct {
	norm
	groups int
}

// NewGroupNorm lays the norm out.
func NewGroupNorm(groups, channels int, eps float64) *GroupNorm {
	return &GroupNorm{norm{channels: channels, eps: eps}, groups}
}

// Forward normalises the concatenation of x and x2 over the channels, and then applies
// SiLU where that is asked for. x2 may be nil.
func (l *GroupNorm) Forward(p *gpu.Program, x, x2 *gpu.Tensor, label string, silu bool) *gpu.Tensor {
	o := gpu.GroupNormOptions{Label: label, Groups: l.groups, Eps: l.eps, X2: x2}
	if silu {
		o.Activation = gpu.SiLU
	}
	return gpu.GroupNorm(p, x, l.weights, o)
}
