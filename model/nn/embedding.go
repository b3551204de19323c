package nn

import (
	"context"

	"github.com/imprompt/imprompt/gpu"
)

// Table is torch's Embedding: a matrix whose rows are looked up.
type Table struct {
	rows, channels int
	table          *gpu.Table
}

// NewTable lays the matrix out.
func NewTable(rows, channels int) *Table { return &Table{rows: rows, channels: channels} }

func (l *Table) wants(prefix string) []want {
	return []want{{key: plain(prefix) + ".weight", shape: []int{l.rows, l.channels}}}
}

func (l *Table) upload(ctx context.Context, d *gpu.Device, params []gpu.Parameter) (err error) {
	l.table, err = d.NewTable(ctx, params[0].Name, params[0])
	return err
}

func (l *Table) release() { l.table.Release(); l.table = nil }

// Vector is a parameter of one dimension, kept as F32.
type Vector struct {
	channels int
	values   *gpu.Buffer
}

// NewVector lays the parameter out.
func NewVector(channels int) *Vector { return &Vector{channels: channels} }

func (l *Vector) wants(prefix string) []want {
	return []want{{key: plain(prefix), shape: []int{l.channels}}}
}

func (l *Vector) upload(ctx context.Context, d *gpu.Device, params []gpu.Parameter) (err error) {
	l.values, err = d.UploadVector(ctx, params[0].Name, params[0])
	return err
}

func (l *Vector) release() { l.values.Release(); l.values = nil }

// Parameter is torch's Parameter of the shape [1, rows, channels], kept as a tensor of
// activations.
type Parameter struct {
	rows, channels int
	tensor         *gpu.Tensor
}

// NewParameter lays the parameter out.
func NewParameter(rows, channels int) *Parameter { return &Parameter{rows: rows, channels: channels} }

func (l *Parameter) wants(prefix string) []want {
	return []want{{key: plain(prefix), shape: []int{1, l.rows, l.channels}}}
}

func (l *Parameter) upload(ctx context.Context, d *gpu.Device, params []gpu.Parameter) error {
	values, err := params[0].Float32(ctx)
	if err != nil {
		return err
	}
	l.tensor = d.NewTensor(params[0].Name, gpu.Act, 1, l.rows, l.channels)
	l.tensor.SetFloat32(values)
	return nil
}

func (l *Parameter) release() { l.tensor.Release(); l.tensor = nil }

// Forward returns the parameter, Act [1, rows, channels].
func (l *Parameter) Forward() *gpu.Tensor { return l.tensor }

// EmbedTokens looks up every token id and adds its position's row.
//
//	ids: U32 [B, T]
//	returns: Act [B, T, channels]
func EmbedTokens(p *gpu.Program, ids *gpu.Tensor, token, position *Table) *gpu.Tensor {
	return gpu.EmbedTokens(p, ids, token.table, position.table)
}

// EmbedPatches puts the class embedding before the patches and adds the positions' rows.
//
//	patches: Act [B, H, W, channels]
//	returns: Act [B, 1 + H·W, channels]
func EmbedPatches(p *gpu.Program, patches *gpu.Tensor, class *Vector, position *Table) *gpu.Tensor {
	return gpu.EmbedPatches(p, patches, class.values, position.table)
}
