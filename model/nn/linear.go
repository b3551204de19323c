package nn

import (
	"context"

	"github.com/imprompt/imprompt/gpu"
)

// Linear is torch's Linear, or several of them side by side that share their input.
type Linear struct {
	in      int
	outs    []int
	bias    bool
	geglu   bool
	columns bool // whether the file has the matrix by columns, as NewColumns says
	weights *gpu.ConvWeight
}

// NewLinear lays out one layer.
func NewLinear(in, out int, bias bool) *Linear { return &Linear{in: in, outs: []int{out}, bias: bias} }

// NewFused lays out several layers that are computed as one product. The field's tag
// names all of them: `weight:"to_q,to_k,to_v"`.
func NewFused(in int, bias bool, outs ...int) *Linear { return &Linear{in: in, outs: outs, bias: bias} }

// NewGEGLU lays out diffusers' GEGLU (models/activations.py): 2·out rows, the values and
// then the gates.
func NewGEGLU(in, out int) *Linear {
	return &Linear{in: in, outs: []int{2 * out}, bias: true, geglu: true}
}

// NewColumns lays out a product with a bare parameter of the shape [in, out], x @ P, which has neither a
// bias nor ".weight" after its name.
func NewColumns(in, out int) *Linear { return &Linear{in: in, outs: []int{out}, columns: true} }

func (l *Linear) wants(prefix string) []want {
	if l.columns {
		return []want{{key: plain(prefix), shape: []int{l.in, l.outs[0]}}}
	}
	var list []want
	for i, names := range keys(prefix) {
		list = append(list, wantOf(names, "weight", l.outs[i], l.in))
		if l.bias {
			list = append(list, wantOf(names, "bias", l.outs[i]))
		}
	}
	return list
}

func (l *Linear) upload(ctx context.Context, d *gpu.Device, params []gpu.Parameter) (err error) {
	weights, biases := split(params, l.bias)
	for i := range weights {
		weights[i].Shape = weights[i].Shape[:2] // a 1 × 1 convolution is stored like a matrix
		weights[i].Columns = l.columns
	}
	l.weights, err = d.NewConvWeight(ctx, weights[0].Name, weights, biases, l.geglu)
	return err
}

// split separates the weights from the biases that follow each of them.
func split(params []gpu.Parameter, bias bool) (weights, biases []gpu.Parameter) {
	for i, p := range params {
		if bias && i%2 == 1 {
			biases = append(biases, p)
		} else {
			weights = append(weights, p)
		}
	}
	return weights, biases
}

func (l *Linear) release() { l.weights.Release(); l.weights = nil }

// Forward applies the layer to the last dimension of x. The results of fused layers lie
// one behind the other in that dimension.
func (l *Linear) Forward(p *gpu.Program, x *gpu.Tensor, o gpu.LinearOptions) *gpu.Tensor {
	if l.weights == nil {
		p.Fail("%s: %w", o.Label, errNotLoaded)
		return x
	}
	return gpu.Linear(p, x, l.weights, o)
}
