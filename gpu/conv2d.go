package gpu

import (
	"context"
	"fmt"
)

// Activation is a function applied to a layer's result before the residual.
type Activation int

const (
	NoActivation Activation = iota
	SiLU
	GELU      // with erf, torch's default
	QuickGELU // x · sigmoid(1.702 x), OpenAI's CLIP
	GEGLU     // value · gelu(gate): the weight's rows are the values, then the gates
)

// ConvWeight is the kernel of a convolution, or a linear layer's matrix, in the
// layout of conv2d.wgsl.
type ConvWeight struct {
	In, Out int // channels; Out without the gates of a GEGLU
	Size    int // of the kernel, 1 for a linear layer
	geglu   bool

	packed *Buffer
	bias   *Buffer // f32, in the packed order of columns; nil for none
}

func (w *ConvWeight) columns() int {
	if w.geglu {
		return (w.Out + 31) / 32 * 64 // 32 values, their 32 gates
	}
	return (w.Out + 63) &^ 63
}

// NewConvWeight uploads a kernel. weights are [Oᵢ, I, K, K] or [Oᵢ, I]; several are
// put side by side (q, k and v as one product). biases are as many, or none. With
// geglu there is one weight, of twice the output channels.
func (d *Device) NewConvWeight(ctx context.Context, label string, weights, biases []Parameter, geglu bool) (*ConvWeight, error) {
	first := weights[0]
	w := &ConvWeight{In: first.Shape[1], Size: 1, geglu: geglu}
	if len(first.Shape) == 4 {
		w.Size = first.Shape[2]
	}
	for _, p := range weights {
		w.Out += p.Shape[0]
	}
	if geglu {
		w.Out /= 2
		if w.Out%4 != 0 {
			return nil, fmt.Errorf("%s: a GEGLU of %d channels; multiples of 4 are supported", label, w.Out)
		}
	}
	for _, p := range weights[:len(weights)-1] {
		if p.Shape[0]%4 != 0 {
			return nil, fmt.Errorf("%s: %s has %d rows; side by side with others, multiples of 4 are supported", label, p.Name, p.Shape[0])
		}
	}
	taps, inputs := w.Size*w.Size, (w.In+3)&^3
	w.packed = d.NewBuffer(label, int64(taps*inputs*w.columns()*d.Weights.Size()))
	to := 0
	for _, param := range weights {
		err := d.Repack(ctx, param, func(p *Program, staged *Buffer, row, rows int) {
			quads := (rows + 3) / 4
			count := taps * inputs * quads
			groups, stride := grid1D(d, count, 64)
			p.Dispatch(Dispatch{
				Kernel: "repack_conv2d", Label: label,
				Params: []any{count, stride, row, rows, w.In, inputs, taps, quads, to, max(1, w.Out), w.columns() / 4, param.Source(), geglu},
				Bind:   []Binding{Read(staged), Write(w.packed)},
				Groups: groups,
			})
		})
		if err != nil {
			w.Release()
			return nil, err
		}
		to += param.Shape[0]
	}
	if len(biases) > 0 {
		var values []float32
		for _, b := range biases {
			v, err := b.Float32(ctx)
			if err != nil {
				w.Release()
				return nil, err
			}
			values = append(values, v...)
		}
		w.bias = d.NewVector(label+".bias", w.permute(values))
	}
	return w, nil
}

// permute puts a bias in the order of the packed columns, padded with zeros.
func (w *ConvWeight) permute(bias []float32) []float32 {
	columns := make([]float32, w.columns())
	for o, v := range bias {
		at := o
		if w.geglu {
			at = o%w.Out/32*64 + o%w.Out%32 + o/w.Out*32
		}
		columns[at] = v
	}
	return columns
}

// Release frees the weight.
func (w *ConvWeight) Release() {
	if w != nil {
		w.packed.Release()
		w.bias.Release()
	}
}

// Conv2dOptions say what rides along with a convolution. The zero value is a
// convolution of stride 1 without padding.
type Conv2dOptions struct {
	Label      string
	Stride     int    // 1 where it is 0
	Padding    int    // zeros on each side
	PadEnd     int    // zeros at the bottom and at the right beyond Padding (the VAE's downsampler)
	UpsampleTo [2]int // height, width that the input is enlarged to first, by nearest neighbour
	X2         *Tensor
	Table      *Tensor // F32 [steps, Out]: the step's row is added to every pixel
	Activation Activation
	Residual   *Tensor  // Act, added after the activation
	Scale      float64  // of the whole result; 1 where it is 0
	Output     DType    // Act, or F32
	tile       convTile // for tests: instead of chooseConvTile's choice
}

// Conv2d convolves x, Act [N, H, W, In] (with X2: the two concatenated over the
// channels), as torch's conv2d does, and returns [N, H', W', Out].
func Conv2d(p *Program, x *Tensor, w *ConvWeight, o Conv2dOptions) *Tensor {
	if len(x.Shape) != 4 {
		p.Fail("gpu: %s: a convolution of %s", o.Label, x)
		return x
	}
	n, h, wd := x.Shape[0], x.Shape[1], x.Shape[2]
	stride := max(1, o.Stride)
	up := o.UpsampleTo
	if up == [2]int{} {
		up = [2]int{h, wd}
	}
	ho := (up[0]+2*o.Padding+o.PadEnd-w.Size)/stride + 1
	wo := (up[1]+2*o.Padding+o.PadEnd-w.Size)/stride + 1
	if ho < 1 || wo < 1 {
		p.Fail("gpu: %s: a kernel of %d does not fit %s", o.Label, w.Size, x)
		return x
	}
	y := p.newPicture(o.Label, o.Output, n, ho, wo, w.Out)
	s := convShape{m: n * ho * wo, hIn: h, wIn: wd, hUp: up[0], wUp: up[1], hOut: ho, wOut: wo, stride: stride, top: -o.Padding}
	if y.inBands() || x.inBands() {
		conv2dInBands(p, x, y, w, o, s)
	} else {
		dispatchConv(p, x, y, w, o, s)
	}
	return y
}

// LinearOptions say what rides along with a linear layer.
type LinearOptions struct {
	Label      string
	Activation Activation
	Residual   *Tensor  // Act, added after the activation
	Output     DType    // Act, or F32
	tile       convTile // for tests
}

// Linear computes act(x·Wᵀ + bias) + residual over the innermost dimension of x, Act.
func Linear(p *Program, x *Tensor, w *ConvWeight, o LinearOptions) *Tensor {
	shape := append([]int(nil), x.Shape...)
	shape[len(shape)-1] = w.Out
	y := p.NewTensor(o.Label, o.Output, shape...)
	LinearInto(p, x, y, w, o)
	return y
}

// LinearInto is Linear with a tensor for the result.
func LinearInto(p *Program, x, y *Tensor, w *ConvWeight, o LinearOptions) {
	rows := x.Rows()
	dispatchConv(p, x, y, w, Conv2dOptions{Label: o.Label, Activation: o.Activation, Residual: o.Residual, Output: o.Output, tile: o.tile},
		convShape{m: rows, hIn: 1, wIn: rows, hUp: 1, wUp: rows, hOut: 1, wOut: rows, stride: 1})
}

// Those of convFlags that a slice of a convolution needs.
const upsampleFlag, wideFlag = 8, 16

// convFlags are those of the kernel's uniform.
func convFlags(bias, table, residual, upsample, wide, geglu bool) (bits int) {
	for i, b := range []bool{bias, table, residual, upsample, wide, geglu} {
		if b {
			bits |= 1 << i
		}
	}
	return bits
}

// convShape is the sizes of a convolution; top is the row of the enlarged input that the
// first row of the result reads first.
type convShape struct{ m, hIn, wIn, hUp, wUp, hOut, wOut, stride, top int }

func dispatchConv(p *Program, x, y *Tensor, w *ConvWeight, o Conv2dOptions, s convShape) {
	c2 := 0
	if o.X2 != nil {
		c2 = o.X2.Pitch()
		if x.Channels()%4 != 0 {
			p.Fail("gpu: %s: %s before another tensor has no multiple of 4 channels", o.Label, x)
		}
	}
	if x.Channels()+c2 != w.In && (x.Pitch()+c2 != (w.In+3)&^3) {
		p.Fail("gpu: %s takes %d channels, and %s (and %d more) came", o.Label, w.In, x, c2)
		return
	}
	if o.Residual != nil && (o.Residual.Rows() != y.Rows() || o.Residual.Channels() != y.Channels()) {
		p.Fail("gpu: %s: the residual %s does not fit %s", o.Label, o.Residual, y)
		return
	}
	if w.packed == nil {
		p.Fail("gpu: %s has no weights loaded", o.Label)
		return
	}
	dummy := Read(w.packed)
	bind := []Binding{In(x), Read(w.packed), Out(y), dummy, dummy, dummy, dummy, dummy}
	if w.bias != nil {
		bind[3] = Read(w.bias)
	}
	if o.X2 != nil {
		bind[4] = In(o.X2)
	}
	if o.Table != nil {
		bind[5], bind[6] = In(o.Table), In(p.Step())
	}
	if o.Residual != nil {
		bind[7] = In(o.Residual)
	}
	activation := o.Activation
	if activation == GEGLU {
		activation = NoActivation
	}
	scale := float32(1)
	if o.Scale != 0 {
		scale = float32(o.Scale)
	}
	flags := convFlags(w.bias != nil, o.Table != nil, o.Residual != nil, s.hUp != s.hIn || s.wUp != s.wIn, y.DType == F32, w.geglu)
	sizes := []any{s.m, y.Pitch() / 4, w.columns() / 4, x.Pitch() / 4, c2 / 4, s.hIn, s.wIn, s.hUp, s.wUp, s.hOut, s.wOut,
		int32(s.top), int32(-o.Padding), w.Size, s.stride}
	// What rides along, in the kernel's own end or in conv2d_sum.
	ends := []any{flags, int(activation), scale}
	if p.Device.playsGPU() && o.tile.mv == 0 {
		// A thread has 16 pixels and two pairs of columns; four threads are busy or idle together.
		p.Dispatch(Dispatch{
			Kernel: "conv2d_cpu", Label: o.Label,
			Consts: []Const{{"HAS_X2", o.X2 != nil}, {"HAS_TABLE", o.Table != nil}, {"HAS_RESIDUAL", o.Residual != nil},
				{"UPSAMPLES", flags&upsampleFlag != 0}, {"GATED", w.geglu}, {"ACTIVATION", int(activation)}},
			Params: append(sizes, flags, scale, (w.used()+7)/8*4, 16),
			Bind:   bind,
			Groups: [3]int{(s.m + 15) / 16, (w.used() + 63) / 64, 1},
			Cost:   w.cost(s.m),
		})
		return
	}
	t := o.tile
	if t.mv == 0 {
		t = chooseConvTile(s.m, w)
	}
	out := y
	if t.slices > 1 {
		out = p.NewTensor(o.Label+".slices", F32, t.slices, y.Rows(), y.Channels())
		bind[2] = Out(out)
		ends = []any{flags&upsampleFlag | wideFlag, int(NoActivation), float32(1)}
	}
	slicePasses := (w.passes() + t.slices - 1) / t.slices
	p.Dispatch(Dispatch{
		Kernel: "conv2d", Label: o.Label,
		Consts: []Const{{"MV", t.mv}, {"NV", t.nv}, {"HAS_X2", o.X2 != nil}},
		Params: append(sizes, append(ends, t.slices, slicePasses)...),
		Bind:   bind,
		Groups: [3]int{t.rows(s.m), t.columns(w.used()), t.slices},
		Cost:   w.cost(s.m),
	})
	if t.slices > 1 {
		count := y.Rows() * y.Pitch() / 4
		groups, stride := grid1D(p.Device, count, 64)
		p.Dispatch(Dispatch{
			Kernel: "conv2d_sum", Label: o.Label,
			Params: []any{count, stride, y.Pitch() / 4, t.slices, flags, int(activation), scale},
			Bind:   []Binding{In(out), Out(y), bind[3], bind[5], bind[6], bind[7]},
			Groups: groups,
			Cost:   float64(4 * count * (t.slices + 4)),
		})
	}
}

// used is the number of packed columns that are computed.
func (w *ConvWeight) used() int {
	if w.geglu {
		return w.columns()
	}
	return w.Out
}

// cost is the floating-point operations for m pixels.
func (w *ConvWeight) cost(m int) float64 {
	return 2 * float64(m) * float64(w.In*w.Size*w.Size) * float64(w.used())
}
