package nn

import (
	"context"

	"github.com/imprompt/imprompt/gpu"
)

// ConvTranspose2d is torch's ConvTranspose2d with a square kernel and a bias.
type ConvTranspose2d struct {
	in, out, size int
	weights       *gpu.ConvWeight
}

// NewConvTranspose2d lays out a transposed convolution whose kernel has size × size taps.
func NewConvTranspose2d(in, out, size int) *ConvTranspose2d {
	return &ConvTranspose2d{in: in, out: out, size: size}
}

func (l *ConvTranspose2d) wants(prefix string) []want {
	return []want{{key: plain(prefix) + ".weight", shape: []int{l.in, l.out, l.size, l.size}}, {key: plain(prefix) + ".bias", shape: []int{l.out}}}
}

func (l *ConvTranspose2d) upload(ctx context.Context, d *gpu.Device, params []gpu.Parameter) (err error) {
	params[0].Columns = true
	l.weights, err = d.NewConvWeight(ctx, params[0].Name, params[:1], params[1:], false)
	return err
}

func (l *ConvTranspose2d) release() { l.weights.Release(); l.weights = nil }

// Forward convolves x, Act [B, H, W, in].
func (l *ConvTranspose2d) Forward(p *gpu.Program, x *gpu.Tensor, o gpu.ConvTranspose2dOptions) *gpu.Tensor {
	if l.weights == nil {
		p.Fail("%s: %w", o.Label, errNotLoaded)
		return x
	}
	return gpu.ConvTranspose2d(p, x, l.weights, o)
}
