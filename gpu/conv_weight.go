package gpu

import (
	"context"
	"fmt"
)

// ConvWeight is the kernel of a convolution, or a linear layer's matrix, in the
// layout of conv2d.wgsl.
type ConvWeight struct {
	In, Out int // channels; Out without the gates of a GEGLU
	Size    int // of the kernel, 1 for a linear layer
	geglu   bool
	// winograd is the size of the tiles that the weights are transformed for (winograd.go), or 0.
	winograd int

	dtype  WeightDType
	packed *Buffer
	bias   *Buffer // f32, in the packed order of columns; nil for none
}

func (w *ConvWeight) columns() int {
	if w.geglu {
		return (w.Out + 31) / 32 * 64 // 32 values, their 32 gates
	}
	return (w.Out + 63) &^ 63
}

// NewConvWeight uploads weights of shape [Oᵢ, I, K, K] or [Oᵢ, I]. Several become one: their
// output channels follow one another (q, k and v as one product). There are as many biases
// as weights, or none. With geglu there is one weight, with twice the output channels.
func (d *Device) NewConvWeight(ctx context.Context, label string, weights, biases []Parameter, geglu bool) (*ConvWeight, error) {
	first := weights[0]
	w := &ConvWeight{In: first.Shape[1], Size: 1, geglu: geglu, dtype: first.As}
	if first.Columns {
		if err := w.fromColumns(ctx, d, label, first); err != nil {
			return nil, err
		}
		return w, w.addBias(ctx, d, label, biases)
	}
	if err := d.checkWeights(label, weights...); err != nil {
		return nil, err
	}
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
	if first.Winograd > 0 {
		if len(weights) > 1 || w.Size != 3 || geglu {
			return nil, fmt.Errorf("%s: only one kernel of 3 × 3 can be transformed for Winograd's algorithm", label)
		}
		w.winograd, w.dtype = first.Winograd, d.winogradType(first.As)
	}
	w.packed = d.NewBuffer(label, w.bytes())
	to := 0
	for _, param := range weights {
		err := d.Repack(ctx, param, func(p *Program, s Staged) {
			if w.winograd > 0 {
				p.Dispatch(w.repackWinograd(d, s))
				return
			}
			p.Dispatch(w.repack(d, s, to, [2]int{w.Size * w.Size * w.In, w.Size * w.Size}, false))
		})
		if err != nil {
			w.Release()
			return nil, err
		}
		to += param.Shape[0]
	}
	return w, w.addBias(ctx, d, label, biases)
}

// addBias uploads the biases, if there are any.
func (w *ConvWeight) addBias(ctx context.Context, d *Device, label string, biases []Parameter) error {
	if len(biases) == 0 {
		return nil
	}
	var values []float32
	for _, b := range biases {
		v, err := d.float32(ctx, b)
		if err != nil {
			w.Release()
			return err
		}
		values = append(values, v...)
	}
	w.bias = d.NewVector(label+".bias", w.permute(values))
	return nil
}

// fromColumns uploads a matrix of the shape [I, O], or the kernel of a transposed convolution, [I, O, K, K], which the
// convolution that takes its place reads backwards.
func (w *ConvWeight) fromColumns(ctx context.Context, d *Device, label string, m Parameter) error {
	w.In, w.Out = m.Shape[0], m.Shape[1]
	if len(m.Shape) == 4 {
		w.Size = m.Shape[2]
	}
	taps := w.Size * w.Size
	if m.Count()*m.ElementBytes() > StageBytes || len(m.Changes) > 0 {
		return fmt.Errorf("%s: a matrix that is stored by columns has at most %d MiB and no changes, and this one has the shape %v and %d changes", label, StageBytes>>20, m.Shape, len(m.Changes))
	}
	w.packed = d.NewBuffer(label, w.bytes())
	err := d.Repack(ctx, m, func(p *Program, s Staged) {
		p.Dispatch(w.repack(d, Staged{Buffer: s.Buffer, Rows: w.Out, source: s.source}, 0, [2]int{taps, w.Out * taps}, w.Size > 1))
	})
	if err != nil {
		w.Release()
	}
	return err
}

// inputs is the number of input channels, padded to a multiple of 4.
func (w *ConvWeight) inputs() int { return (w.In + 3) &^ 3 }

// bytes is the size of the packed weights.
func (w *ConvWeight) bytes() int64 { return int64(w.rows() * w.columns() * w.dtype.Size()) }

// rows is the number of rows of all taps. The last pass of conv2d.wgsl may read beyond the
// last row, and finds zeros there.
func (w *ConvWeight) rows() int {
	places := w.Size * w.Size
	if w.winograd > 0 {
		places = (w.winograd + 2) * (w.winograd + 2)
	}
	rows := places * w.inputs()
	return rows + (convPass-w.inputs()%convPass)%convPass
}

// repack returns the dispatch that writes the staged rows of a parameter into w. The
// parameter's row 0 is output channel to of w. each has the distances, in numbers of the file, between two
// output channels and between two input channels. flip says that the taps are read backwards.
func (w *ConvWeight) repack(d *Device, s Staged, to int, each [2]int, flip bool) Dispatch {
	taps, quads := w.Size*w.Size, (s.Rows+3)/4
	count := taps * w.inputs() * quads
	groups, stride := grid1D(d, count, 64)
	return Dispatch{
		Kernel: "repack_conv2d", Label: w.packed.Label,
		Consts: sourceCodes,
		Params: []Param{{"count", count}, {"stride", stride}, {"row", s.Row}, {"rows", s.Rows}, {"inputs", w.In}, {"inputs_padded", w.inputs()},
			{"taps", taps}, {"quads", quads}, {"to", to}, {"half", max(1, w.Out)}, {"w_quads", w.columns() / 4},
			{"source", s.source}, {"geglu", w.geglu}, {"o_each", each[0]}, {"c_each", each[1]}, {"flip", flip}},
		Bind:   []Binding{Read("staged", s.Buffer), Write("w", w.packed)},
		Groups: groups, Weights: w.dtype,
	}
}

// permute puts a bias into the order of the packed columns and pads it with zeros.
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

// inPhases returns the weights of the four 2 × 2 convolutions that an upsampling by two and
// this 3 × 3 convolution are. They belong to p, whose Build makes them. Their bias is w's.
func (w *ConvWeight) inPhases(p *Program) *ConvWeight {
	if v := p.phased[w]; v != nil {
		return v // for another band
	}
	v := *w
	v.Size = 2
	padding := v.rows() - 4*v.inputs()
	v.packed = p.Device.NewBuffer(w.packed.Label+".phases", int64((16*v.inputs()+padding)*v.columns()*v.dtype.Size()))
	if p.phased == nil {
		p.phased = map[*ConvWeight]*ConvWeight{}
	}
	p.phased[w] = &v
	p.prepare = append(p.prepare, w.makePhases(p.Device, v.packed))
	return &v
}

// makePhases returns the dispatch that makes w's phases.
func (w *ConvWeight) makePhases(d *Device, phases *Buffer) Dispatch {
	quads := w.inputs() * w.columns() / 4
	groups, stride := grid1D(d, 16*quads, 64)
	return Dispatch{
		Kernel: "phase_conv2d", Label: phases.Label, Weights: w.dtype,
		Params: []Param{{"count", 16 * quads}, {"stride", stride}, {"tap_quads", quads}},
		Bind:   []Binding{Read("w", w.packed), Write("phases", phases)},
		Groups: groups,
	}
}

// used is the number of packed columns that are computed: with a GEGLU, all of them.
func (w *ConvWeight) used() int {
	if w.geglu {
		return w.columns()
	}
	return w.Out
}

// cost is the number of floating-point operations for m pixels.
func (w *ConvWeight) cost(m int) float64 {
	return 2 * float64(m) * float64(w.In*w.Size*w.Size) * float64(w.used())
}
