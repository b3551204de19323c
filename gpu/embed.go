package gpu

import (
	"context"
	"fmt"
)

// Table is a matrix whose rows are looked up, in the weights' type.
type Table struct {
	Rows, Channels int
	packed         *Buffer
}

// NewTable uploads a matrix [rows, channels].
func (d *Device) NewTable(ctx context.Context, label string, param Parameter) (*Table, error) {
	t := &Table{Rows: param.Shape[0], Channels: param.Shape[1]}
	if t.Channels%4 != 0 {
		return nil, fmt.Errorf("%s has %d columns; multiples of 4 are supported", param.Name, t.Channels)
	}
	t.packed = d.NewBuffer(label, int64(t.Rows*t.Channels*d.Weights.Size()))
	err := d.Repack(ctx, param, func(p *Program, staged *Buffer, row, rows int) {
		count := rows * t.Channels / 4
		groups, stride := grid1D(d, count, 64)
		p.Dispatch(Dispatch{
			Kernel: "repack_table", Label: label,
			Params: []any{count, stride, row * t.Channels / 4, param.Source()},
			Bind:   []Binding{Read(staged), Write(t.packed)},
			Groups: groups,
		})
	})
	if err != nil {
		t.Release()
		return nil, err
	}
	return t, nil
}

// Release frees the table.
func (t *Table) Release() {
	if t != nil {
		t.packed.Release()
	}
}

// EmbedTokens returns tokens[ids[b, t]] + positions[t], Act [B, T, C]. ids is U32 [B, T].
func EmbedTokens(p *Program, ids *Tensor, tokens, positions *Table) *Tensor {
	b, length := ids.Shape[0], ids.Shape[1]
	y := p.NewTensor("embeddings", Act, b, length, tokens.Channels)
	if length > positions.Rows {
		p.Fail("gpu: %d tokens, and positions for %d", length, positions.Rows)
		return y
	}
	quads := tokens.Channels / 4
	count := b * length * quads
	groups, stride := grid1D(p.Device, count, 64)
	p.Dispatch(Dispatch{
		Kernel: "embed_tokens", Label: "embeddings",
		Params: []any{count, stride, quads, length, ids.Pitch()},
		Bind:   []Binding{In(ids), Read(tokens.packed), Read(positions.packed), Out(y)},
		Groups: groups,
		Cost:   float64(8 * count),
	})
	return y
}

// EmbedPatches puts a class token before patches, Act [B, h, w, C], and adds the
// positions: Act [B, 1 + h·w, C].
func EmbedPatches(p *Program, patches *Tensor, class *Buffer, positions *Table) *Tensor {
	b, quads := patches.Shape[0], patches.Pitch()/4
	length := patches.Rows()/b + 1
	y := p.NewTensor("embeddings", Act, b, length, patches.Channels())
	if length != positions.Rows || patches.Channels() != positions.Channels {
		p.Fail("gpu: %d patches, and positions for %d", length-1, positions.Rows-1)
		return y
	}
	count := b * length * quads
	groups, stride := grid1D(p.Device, count, 64)
	p.Dispatch(Dispatch{
		Kernel: "embed_patches", Label: "embeddings",
		Params: []any{count, stride, quads, length},
		Bind:   []Binding{In(patches), Read(class), Read(positions.packed), Out(y)},
		Groups: groups,
		Cost:   float64(8 * count),
	})
	return y
}
