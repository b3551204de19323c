package gpu

import (
	"context"
	"fmt"
)

// Table is a matrix whose rows are looked up: an embedding.
type Table struct {
	Rows, Channels int
	dtype          WeightDType
	packed         *Buffer
}

// NewTable uploads a matrix [rows, channels].
func (d *Device) NewTable(ctx context.Context, label string, param Parameter) (*Table, error) {
	t := &Table{Rows: param.Shape[0], Channels: param.Shape[1], dtype: param.As}
	if err := d.checkWeights(label, param); err != nil {
		return nil, err
	}
	if t.Channels%4 != 0 {
		return nil, fmt.Errorf("%s has %d columns; multiples of 4 are supported", param.Name, t.Channels)
	}
	t.packed = d.NewBuffer(label, int64(t.Rows*t.Channels*t.dtype.Size()))
	err := d.Repack(ctx, param, func(p *Program, s Staged) { p.Dispatch(t.repack(d, s)) })
	if err != nil {
		t.Release()
		return nil, err
	}
	return t, nil
}

// repack returns the dispatch that writes the staged rows of the parameter into the table.
func (t *Table) repack(d *Device, s Staged) Dispatch {
	count := s.Rows * t.Channels / 4
	groups, stride := grid1D(d, count, 64)
	return Dispatch{
		Kernel: "repack_table", Label: t.packed.Label,
		Consts: sourceCodes,
		Params: []Param{{"count", count}, {"stride", stride}, {"to", s.Row * t.Channels / 4}, {"source", s.source}},
		Bind:   []Binding{Read("staged", s.Buffer), Write("w", t.packed)},
		Groups: groups, Weights: t.dtype,
	}
}

// DType is the type of the numbers on the GPU.
func (t *Table) DType() WeightDType { return t.dtype }

// Release frees the table.
func (t *Table) Release() {
	if t != nil {
		t.packed.Release()
	}
}
