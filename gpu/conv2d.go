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

// outType is the constant that gives a kernel its Out4 alias.
type outType DType

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
				Consts: []Const{{"SOURCE", param.Source()}, {"GEGLU", geglu}},
				Params: []any{count, stride, row, rows, w.In, inputs, taps, quads, to, max(1, w.Out), w.columns() / 4, 0},
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
	Residual   *Tensor // Act, added after the activation
	Scale      float64 // of the whole result; 1 where it is 0
	Output     DType   // Act, or F32
	tile       [2]int  // for tests: instead of convTile's choice
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
	Residual   *Tensor // Act, added after the activation
	Output     DType   // Act, or F32
	tile       [2]int  // for tests
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

// convKind is what a convolution's pipeline is compiled for on a GPU. On a CPU, which
// takes longer to compile a kernel than to run it, one pipeline serves all.
type convKind struct {
	ksize, stride                       int
	bias, table, residual, upsample, x2 bool
}

// flags are those of the kernel's uniform.
func (k convKind) flags() (bits int) {
	for i, b := range []bool{k.bias, k.table, k.residual, k.upsample, k.x2} {
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
	mv, nv := convTile(p.Device, s.m, w)
	if o.tile[0] > 0 {
		mv, nv = o.tile[0], o.tile[1]
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
	has := convKind{ksize: w.Size, stride: s.stride, bias: w.bias != nil, x2: o.X2 != nil, table: o.Table != nil,
		residual: o.Residual != nil, upsample: s.hUp != s.hIn || s.wUp != s.wIn}
	flags := has.flags()
	if p.Device.Info.Software {
		has = convKind{} // the uniform says it
	}
	pass := 16 // the kernel's BK
	if mv == 4 {
		pass = 8
	}
	results := 4 * mv * nv
	if w.geglu {
		results = 4 * mv
	}
	tiles := [3]int{(s.m + 32*mv - 1) / (32 * mv), (w.used() + 32*nv - 1) / (32 * nv), 1}
	p.Dispatch(Dispatch{
		Kernel: "conv2d", Label: o.Label,
		Consts: []Const{{"KSIZE", has.ksize}, {"STRIDE", has.stride}, {"MV", mv}, {"NV", nv},
			{"HAS_BIAS", has.bias}, {"HAS_X2", has.x2}, {"HAS_TABLE", has.table}, {"HAS_RESIDUAL", has.residual},
			{"UPSAMPLE", has.upsample}, {"GEGLU", w.geglu}, {"ACTIVATION", int(activation)},
			{"UNROLL", !p.Device.Info.Software}, {"Out4", outType(y.DType)}},
		Params: []any{s.m, y.Pitch() / 4, w.columns() / 4, x.Pitch() / 4, c2 / 4, s.hIn, s.wIn, s.hUp, s.wUp, s.hOut, s.wOut,
			int32(s.top), int32(-o.Padding), 4, pass, pass * nv / 8, results,
			w.Size, s.stride, flags, scale},
		Bind:   bind,
		Groups: tiles,
		Cost:   w.cost(s.m),
	})
}

// used is the number of packed columns that are computed.
func (w *ConvWeight) used() int {
	if w.geglu {
		return w.columns()
	}
	return w.Out
}

// enoughGroups is how many workgroups keep a large GPU busy; with fewer, smaller
// tiles share the work out further.
const enoughGroups = 256

// largeConv is the work, in floating-point operations, from which a CPU's largest
// tile is worth the second that it takes to compile.
const largeConv = 5e8

// convTile chooses a thread's tile, in units of four pixels and four channels.
func convTile(d *Device, m int, w *ConvWeight) (mv, nv int) {
	n := w.used()
	tiles := func(t [2]int) int { return (m + 32*t[0] - 1) / (32 * t[0]) * ((n + 32*t[1] - 1) / (32 * t[1])) }
	if d.Info.Software {
		return cpuTile(tiles, w.geglu, w.cost(m) >= largeConv)
	}
	for _, t := range [][2]int{{2, 2}, {1, 2}, {1, 1}} {
		mv, nv = t[0], t[1]
		if mv == 2 && m <= 32 || nv == 2 && n <= 32 {
			continue // half of the tile would be beyond the end
		}
		if tiles(t) >= enoughGroups {
			break
		}
	}
	if w.geglu {
		nv = 2 // a tile holds values and their gates
	}
	return mv, nv
}

// cpuTile has few answers, because a CPU takes a second to compile each. It gathers
// workgroup memory lane by lane, which is most of its time: a larger tile reads less.
// On lavapipe tiles of 4, 4 do 10.2 GFLOP/s a core where those of 2, 2 do 6.2.
func cpuTile(tiles func([2]int) int, geglu, large bool) (mv, nv int) {
	switch {
	case !large || tiles([2]int{4, 4}) < 4:
		return 2, 2
	case geglu:
		return 4, 2 // a tile holds values and their gates
	}
	return 4, 4
}

// cost is the floating-point operations for m pixels.
func (w *ConvWeight) cost(m int) float64 {
	return 2 * float64(m) * float64(w.In*w.Size*w.Size) * float64(w.used())
}
