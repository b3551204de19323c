package nn

import (
	"context"

	"github.com/imprompt/imprompt/gpu"
)

// Conv2d is torch's Conv2d with a square kernel.
type Conv2d struct {
	in, out, size int
	bias          bool
	tiled         bool // whether Winograd's algorithm can compute it
	weights       *gpu.ConvWeight
}

// NewConv2d lays out a convolution whose kernel has size × size taps.
func NewConv2d(in, out, size int, bias bool) *Conv2d {
	return &Conv2d{in: in, out: out, size: size, bias: bias}
}

// NewConv3x3 lays out a convolution whose kernel has 3 × 3 taps and which has a bias. It is always
// computed with a stride of 1, a padding of 1, and no upsampling before it, so that its weights may
// be transformed for Winograd's algorithm.
func NewConv3x3(in, out int) *Conv2d {
	return &Conv2d{in: in, out: out, size: 3, bias: true, tiled: true}
}

func (l *Conv2d) wants(prefix string) []want {
	list := []want{{key: plain(prefix) + ".weight", shape: []int{l.out, l.in, l.size, l.size}}}
	if l.bias {
		list = append(list, want{key: plain(prefix) + ".bias", shape: []int{l.out}})
	}
	return list
}

func (l *Conv2d) upload(ctx context.Context, d *gpu.Device, params []gpu.Parameter) (err error) {
	weights, biases := split(params, l.bias)
	weights[0].Shape = []int{l.out, l.in, l.size, l.size}
	l.weights, err = d.NewConvWeight(ctx, weights[0].Name, weights, biases, false)
	return err
}

// tile is the size of Winograd's tiles that suits the layer on the device, or 0, and how many bytes
// more its weights take then.
func (l *Conv2d) tile(d *gpu.Device, as gpu.WeightDType) (m int, extra int64) {
	if !l.tiled {
		return 0, 0
	}
	if m = d.WinogradTile(l.in, l.out, as); m > 0 {
		extra = d.WinogradExtra(l.in, l.out, m, as)
	}
	return m, extra
}

func (l *Conv2d) release() { l.weights.Release(); l.weights = nil }

// Forward convolves x, Act [B, H, W, in].
func (l *Conv2d) Forward(p *gpu.Program, x *gpu.Tensor, o gpu.Conv2dOptions) *gpu.Tensor {
	if l.weights == nil {
		p.Fail("%s: %w", o.Label, errNotLoaded)
		return x
	}
	return gpu.Conv2d(p, x, l.weights, o)
}
