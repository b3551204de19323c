package nn

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/gpu/webapi"
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

// Like makes a table of some rows, of the type that l has on the GPU. The caller releases it.
func (l *Table) Like(ctx context.Context, d *gpu.Device, label string, rows [][]float32) (*Table, error) {
	raw := make([]byte, 0, 4*len(rows)*l.channels)
	for i, row := range rows {
		if len(row) != l.channels {
			return nil, fmt.Errorf("%s: row %d has %d numbers, and %d are needed", label, i, len(row), l.channels)
		}
		for _, v := range row {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
		}
	}
	table, err := d.NewTable(ctx, label, gpu.Parameter{Name: label, DType: "F32", Shape: []int{len(rows), l.channels}, As: l.table.DType(),
		Read: func(_ context.Context, off, n int64) (webapi.Bytes, error) {
			return webapi.BytesOf(raw[off : off+n]), nil
		}})
	return &Table{rows: len(rows), channels: l.channels, table: table}, err
}

// Release frees a table that Like made.
func (l *Table) Release() { l.release() }

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
