//go:build js && wasm

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"syscall/js"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/gpu/webapi"
)

// op DESCRIPTION, {name: Float32Array} records one operation of tests/reference/onnx_ops.py.
func (b *bench) op(args []js.Value) (any, error) {
	var o struct {
		Name, Kind string
		Heads      int
		Scale      float64
		Shapes     map[string][]int // of inputs and weights, in torch's order
	}
	if err := json.Unmarshal([]byte(args[0].String()), &o); err != nil {
		return nil, err
	}
	d := b.device
	values := func(name string) []float32 { return floats(args[1].Get(name)) }
	keep := func(t *gpu.Tensor, v []float32) *gpu.Tensor {
		t.SetFloat32(v)
		b.release = append(b.release, t.Release)
		return t
	}
	input := func(name string) *gpu.Tensor {
		return keep(d.NewTensor(name, gpu.Act, o.Shapes[name]...), values(name))
	}
	weight := func(geglu bool) (*gpu.ConvWeight, error) {
		var biases []gpu.Parameter
		if o.Shapes["bias"] != nil {
			biases = append(biases, gpu.MemoryParameter("bias", values("bias"), o.Shapes["bias"]...))
		}
		w, err := d.NewConvWeight(background, o.Name, []gpu.Parameter{jsParameter("weight", args[1].Get("weight"), o.Shapes["weight"])}, biases, geglu)
		if err == nil {
			b.release = append(b.release, w.Release)
		}
		return w, err
	}
	p := d.NewProgram(o.Name)
	switch o.Kind {
	case "conv":
		w, err := weight(false)
		if err != nil {
			return nil, err
		}
		s := o.Shapes["x"]
		x := keep(d.NewTensor("x", gpu.Act, s[0], s[2], s[3], s[1]), toNHWC(values("x"), s))
		b.output = gpu.Conv2d(p, x, w, gpu.Conv2dOptions{Label: o.Name, Padding: 1})
	case "linear", "geglu":
		w, err := weight(o.Kind == "geglu")
		if err != nil {
			return nil, err
		}
		lo := gpu.LinearOptions{Label: o.Name}
		if o.Kind == "geglu" {
			lo.Activation = gpu.GEGLU
		}
		if o.Shapes["residual"] != nil {
			lo.Residual = input("residual")
		}
		b.output = gpu.Linear(p, input("x"), w, lo)
	case "attention":
		q := o.Shapes["q"]
		c := q[2]
		ao := gpu.AttentionOptions{Label: o.Name, Heads: o.Heads, HeadSize: c / o.Heads, VAt: c}
		// Keys and values are in one tensor, as the projection computes them.
		side := func(k, v string) *gpu.Tensor {
			s := o.Shapes[k]
			return keep(d.NewTensor(k+v, gpu.Act, s[0], s[1], 2*c), interleave(c, values(k), values(v)))
		}
		if o.Shapes["k_ip"] != nil {
			spans := d.NewTensor("spans", gpu.U32, 1, 4)
			spans.SetUint32([]uint32{0, uint32(o.Shapes["k_ip"][1]), 0, 0})
			b.release = append(b.release, spans.Release)
			ao.Image = &gpu.ImageAttention{KV: side("k_ip", "v_ip"), Spans: spans, Prompts: 1,
				Lambda: keep(d.NewTensor("lambda", gpu.F32, 1, 1), []float32{float32(o.Scale)})}
		}
		b.output = gpu.Attention(p, input("q"), side("k", "v"), ao)
	default:
		return nil, fmt.Errorf("there is no operation %q", o.Kind)
	}
	b.program = p
	b.release = append(b.release, p.Release)
	p.Keep(b.output)
	b.release = append(b.release, b.output.Release)
	return map[string]any{"flop": p.Cost()}, p.Build(background)
}

// interleave puts rows of c numbers side by side.
func interleave(c int, a, b []float32) []float32 {
	out := make([]float32, 0, len(a)+len(b))
	for i := 0; i < len(a); i += c {
		out = append(append(out, a[i:i+c]...), b[i:i+c]...)
	}
	return out
}

// jsParameter is a parameter whose numbers, a Float32Array, stay in JavaScript.
func jsParameter(name string, v js.Value, shape []int) gpu.Parameter {
	return gpu.Parameter{Name: name, DType: "F32", Shape: shape, Read: func(_ context.Context, off, n int64) (webapi.Bytes, error) {
		return js.Global().Get("Uint8Array").New(v.Get("buffer"), int64(v.Get("byteOffset").Int())+off, n), nil
	}}
}
