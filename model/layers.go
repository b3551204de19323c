package model

import (
	"context"
	"strings"

	"github.com/imprompt/imprompt/gpu"
)

// Linear is torch's Linear, or several side by side that share their input.
type Linear struct {
	in      int
	outs    []int
	bias    bool
	geglu   bool
	weights *gpu.ConvWeight
}

func newLinear(in, out int, bias bool) *Linear { return &Linear{in: in, outs: []int{out}, bias: bias} }

// newFused is one product for several layers; the field's tag names them all:
// `weight:"to_q,to_k,to_v"`.
func newFused(in int, bias bool, outs ...int) *Linear { return &Linear{in: in, outs: outs, bias: bias} }

// newGEGLU is diffusers' GEGLU (models/activations.py): 2·out rows, values then gates.
func newGEGLU(in, out int) *Linear {
	return &Linear{in: in, outs: []int{2 * out}, bias: true, geglu: true}
}

// keys spells out a prefix whose tag lists several layers: "a.to_q,to_k" is a.to_q
// and a.to_k, and "a.to_q|query" is one layer of two possible names. base is the
// length of the part before the tag.
func keys(prefix string) [][]string {
	base, tag := prefix[:tagAt(prefix)], prefix[tagAt(prefix):]
	var out [][]string
	for _, one := range strings.Split(tag, ",") {
		var names []string
		for _, n := range strings.Split(one, "|") {
			names = append(names, plain(base+n))
		}
		out = append(out, names)
	}
	return out
}

// tagAt is where the last field's tag begins: visit marks it, because a tag may hold
// dots of its own ("to_out.0|proj_attn").
func tagAt(prefix string) int { return strings.LastIndexByte(prefix, tagMark) + 1 }

func wantOf(names []string, part string, shape ...int) want {
	w := want{key: names[0] + "." + part, shape: shape}
	for _, n := range names[1:] {
		w.others = append(w.others, n+"."+part)
	}
	return w
}

func (l *Linear) wants(prefix string) []want {
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
		weights[i].Shape = weights[i].Shape[:2] // a convolution of 1 × 1 lies in the file as a matrix does
	}
	l.weights, err = d.NewConvWeight(ctx, weights[0].Name, weights, biases, l.geglu)
	return err
}

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

func (l *Linear) forward(p *gpu.Program, x *gpu.Tensor, o gpu.LinearOptions) *gpu.Tensor {
	if l.weights == nil {
		p.Fail("%s: %w", o.Label, errNotLoaded)
		return x
	}
	return gpu.Linear(p, x, l.weights, o)
}

// Conv2d is torch's Conv2d.
type Conv2d struct {
	in, out, size int
	bias          bool
	weights       *gpu.ConvWeight
}

func newConv2d(in, out, size int) *Conv2d { return &Conv2d{in: in, out: out, size: size, bias: true} }

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

func (l *Conv2d) release() { l.weights.Release(); l.weights = nil }

func (l *Conv2d) forward(p *gpu.Program, x *gpu.Tensor, o gpu.Conv2dOptions) *gpu.Tensor {
	if l.weights == nil {
		p.Fail("%s: %w", o.Label, errNotLoaded)
		return x
	}
	return gpu.Conv2d(p, x, l.weights, o)
}

// norm is what the two norms share: a scale and a shift.
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

func newLayerNorm(channels int, eps float64) *LayerNorm {
	return &LayerNorm{norm{channels: channels, eps: eps}}
}

func (l *LayerNorm) forward(p *gpu.Program, x *gpu.Tensor, label string) *gpu.Tensor {
	return gpu.LayerNorm(p, x, l.weights, l.eps, label)
}

// GroupNorm is torch's GroupNorm.
type GroupNorm struct {
	norm
	groups int
}

func newGroupNorm(groups, channels int, eps float64) *GroupNorm {
	return &GroupNorm{norm{channels: channels, eps: eps}, groups}
}

// forward normalises cat[x, x2] over the channels, and applies SiLU if asked.
func (l *GroupNorm) forward(p *gpu.Program, x, x2 *gpu.Tensor, label string, silu bool) *gpu.Tensor {
	o := gpu.GroupNormOptions{Label: label, Groups: l.groups, Eps: l.eps, X2: x2}
	if silu {
		o.Activation = gpu.SiLU
	}
	return gpu.GroupNorm(p, x, l.weights, o)
}

// Table is torch's Embedding: a matrix whose rows are looked up.
type Table struct {
	rows, channels int
	table          *gpu.Table
}

func newTable(rows, channels int) *Table { return &Table{rows: rows, channels: channels} }

func (l *Table) wants(prefix string) []want {
	return []want{{key: plain(prefix) + ".weight", shape: []int{l.rows, l.channels}}}
}

func (l *Table) upload(ctx context.Context, d *gpu.Device, params []gpu.Parameter) (err error) {
	l.table, err = d.NewTable(ctx, params[0].Name, params[0])
	return err
}

func (l *Table) release() { l.table.Release(); l.table = nil }

// Vector is a parameter by itself.
type Vector struct {
	channels int
	values   *gpu.Buffer
}

func newVector(channels int) *Vector { return &Vector{channels: channels} }

func (l *Vector) wants(prefix string) []want {
	return []want{{key: plain(prefix), shape: []int{l.channels}}}
}

func (l *Vector) upload(ctx context.Context, d *gpu.Device, params []gpu.Parameter) (err error) {
	l.values, err = d.UploadVector(ctx, params[0].Name, params[0])
	return err
}

func (l *Vector) release() { l.values.Release(); l.values = nil }

// attention is softmax(QKᵗ/√d)V over qkv, Act [.., 3C], in heads.
func attention(p *gpu.Program, qkv *gpu.Tensor, heads int, label string) *gpu.Tensor {
	return maskedAttention(p, qkv, heads, false, label)
}

func maskedAttention(p *gpu.Program, qkv *gpu.Tensor, heads int, causal bool, label string) *gpu.Tensor {
	c := qkv.Channels() / 3
	return gpu.Attention(p, qkv, qkv, gpu.AttentionOptions{Label: label, Heads: heads, HeadSize: c / heads, Causal: causal, KAt: c, VAt: 2 * c})
}

func embedTokens(p *gpu.Program, ids *gpu.Tensor, e *textEmbeddings) *gpu.Tensor {
	return gpu.EmbedTokens(p, ids, e.Token.table, e.Position.table)
}

func embedPatches(p *gpu.Program, patches *gpu.Tensor, e *visionEmbeddings) *gpu.Tensor {
	return gpu.EmbedPatches(p, patches, e.Class.values, e.Position.table)
}

// once records a network, runs it and returns a copy of its result in a persistent
// tensor, which the caller releases.
func once(ctx context.Context, d *gpu.Device, name string, record func(p *gpu.Program) *gpu.Tensor) (*gpu.Tensor, error) {
	p := d.NewProgram(name)
	result := record(p)
	p.Keep(result)
	defer p.Release()
	if err := p.Build(ctx); err != nil {
		result.Release()
		return nil, err
	}
	if err := p.Run(ctx, 0); err != nil {
		result.Release()
		return nil, err
	}
	return result, nil
}
