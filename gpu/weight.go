package gpu

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"runtime"
	"slices"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// Parameter is a tensor of a checkpoint. Nothing of it is read before Read is called.
type Parameter struct {
	Name  string
	DType string // as safetensors writes it: "F16", "F32", "BF16", "F8_E4M3" or "F8_E5M2"
	Shape []int
	As    WeightDType // the type that a matrix or a convolution kernel gets on the GPU
	// Columns says that a matrix is stored by columns, [I, O], or that the parameter is the kernel of a transposed convolution,
	// [I, O, K, K]. It has at most StageBytes and no Changes.
	Columns bool
	// Winograd is the size of the tiles of Winograd's algorithm that a kernel of 3 × 3 is transformed
	// for (Device.WinogradTile), or 0.
	Winograd int
	// Changes are added to the tensor, in f32, before it gets that type.
	Changes []Change
	// File is where the data is, from the offset At on, so that it can be read ahead, or nil if only Read gives it.
	File File
	At   int64
	// Read returns bytes [off, off+n) of the tensor's data, which is little-endian.
	Read func(ctx context.Context, off, n int64) (webapi.Bytes, error)
}

// Count is the number of elements.
func (p Parameter) Count() int {
	n := 1
	for _, s := range p.Shape {
		n *= s
	}
	return n
}

// ElementBytes is the size of one element in the checkpoint, or 0 if the engine does not
// support the type.
func (p Parameter) ElementBytes() int {
	switch p.DType {
	case "F16", "BF16":
		return 2
	case "F32":
		return 4
	case "F8_E4M3", "F8_E5M2":
		return 1
	}
	return 0
}

// unsupported is the error for a parameter whose type ElementBytes does not know.
func (p Parameter) unsupported() error {
	return fmt.Errorf("%s has the type %s; F16, F32, BF16, F8_E4M3 and F8_E5M2 are supported", p.Name, p.DType)
}

// Codes for the types of parameters, for the kernels that repack them.
const (
	sourceF16 = iota
	sourceF32
	sourceBF16
	sourceE4M3
	sourceE5M2
)

var sourceCodes = []Const{{"SOURCE_F16", sourceF16}, {"SOURCE_F32", sourceF32}, {"SOURCE_BF16", sourceBF16}, {"SOURCE_E4M3", sourceE4M3}, {"SOURCE_E5M2", sourceE5M2}}

func (p Parameter) source() int {
	switch p.DType {
	case "F32":
		return sourceF32
	case "BF16":
		return sourceBF16
	case "F8_E4M3":
		return sourceE4M3
	case "F8_E5M2":
		return sourceE5M2
	}
	return sourceF16
}

// checkWeights reports parameters that cannot become one matrix on the GPU.
func (d *Device) checkWeights(label string, params ...Parameter) error {
	for _, p := range params {
		switch {
		case p.As != params[0].As:
			return fmt.Errorf("%s: %s and %s would have different types on the GPU", label, params[0].Name, p.Name)
		case p.As == WeightF32 && d.F16:
			return fmt.Errorf("%s: %s cannot be f32 on a GPU with shader-f16", label, p.Name)
		}
	}
	return nil
}

// StageBytes is the largest number of bytes that are copied to the GPU at a time. A tab holds
// them several times over, because the browser copies them to its GPU process.
const StageBytes = 16 << 20

// Repack copies a parameter to the GPU in runs of whole rows, where a row is everything with
// one index of the first dimension, and adds its Changes. For each run it calls record, which
// appends to p the dispatches that read the staged rows, which begin at element 0.
func (d *Device) Repack(ctx context.Context, param Parameter, record func(p *Program, s Staged)) error {
	if param.ElementBytes() == 0 {
		return param.unsupported()
	}
	defer d.Uploading()()
	if len(param.Changes) == 0 {
		return d.stage(ctx, param, func(p *Program, s Staged) error { record(p, s); return nil }, func() int64 { return 0 })
	}
	m := d.newMerge(ctx, param)
	defer m.release()
	if slices.ContainsFunc(param.Changes, func(c Change) bool { return c.sumsInputs(param.Shape) }) {
		norms := func(p *Program, s Staged) error { return m.norms(ctx, p, s) }
		if err := d.stage(ctx, param, norms, m.ran); err != nil {
			return err
		}
	}
	return d.stage(ctx, param, func(p *Program, s Staged) error {
		s, err := m.apply(ctx, p, s)
		if err == nil {
			record(p, s)
		}
		return err
	}, m.ran)
}

// stage copies a parameter to the GPU in runs of whole rows, records a program for each, and
// runs it. ran is called after each, and returns how many more bytes it has read.
func (d *Device) stage(ctx context.Context, param Parameter, record func(p *Program, s Staged) error, ran func() int64) error {
	if d.compiles != nil {
		p := d.NewProgram("repack " + param.Name)
		if err := record(p, Staged{Buffer: d.NewBuffer("staging", 16), Rows: 1, source: param.source()}); err != nil {
			return err
		}
		return p.Build(ctx)
	}
	for _, r := range param.runs() {
		b, err := param.Read(ctx, r.off, r.n)
		if err != nil {
			return fmt.Errorf("reading %s: %w", param.Name, err)
		}
		staged := d.stagingBuffer(int64(webapi.NumBytes(b)))
		staged.WriteBytes(0, b)
		p := d.NewProgram("repack " + param.Name)
		p.enclosed = len(param.Changes) == 0 // merging may keep the GPU busy for long
		err = record(p, Staged{Buffer: staged, Row: r.row, Rows: r.rows, source: param.source()})
		if err == nil {
			err = p.Build(ctx)
		}
		if err == nil {
			err = p.Run(ctx, 0)
		}
		p.Release()
		passed := ran()
		if err != nil {
			return err
		}
		if err := d.collect(ctx, r.n+passed, param.File == nil || passed > 0); err != nil {
			return err
		}
	}
	return nil
}

// Uploading keeps the buffer through which weights reach the GPU until done is called.
func (d *Device) Uploading() (done func()) {
	d.uploads++
	return func() {
		if d.uploads--; d.uploads == 0 {
			d.staging.Release()
			d.staging = nil
		}
	}
}

// stagingBuffer returns the buffer, with room for so many bytes. One is enough, because the
// GPU's queue has what reads it before what writes it next, and a new one for every
// piece would cost more than copying into it.
func (d *Device) stagingBuffer(size int64) *Buffer {
	if d.staging == nil || d.staging.Size < size {
		d.staging.Release()
		d.staging = d.NewBuffer("staging", int64(1)<<bits.Len64(uint64(size-1)))
	}
	return d.staging
}

// collect waits after every 32 MiB of weights until the GPU has got the 32 MiB before them, because the
// browser copies faster than the GPU reads. With garbage it also runs Go's garbage collector.
// JavaScript's bytes that nobody frees stay until Go collects its references to them, and Go
// would not for a long time, because its own heap hardly grows. Together they would hold the
// bytes of a whole file.
func (d *Device) collect(ctx context.Context, passed int64, garbage bool) error {
	if d.passed += passed; d.passed < 32<<20 {
		return nil
	}
	d.passed = 0
	if garbage {
		runtime.GC()
	}
	before := d.arrived
	d.arrived = d.submitted()
	if before == nil {
		return nil
	}
	return before(ctx)
}

// UploadVector uploads parameters, one after another, as one vector of f32. It is meant for
// small ones, such as biases and norms' scales, because they pass through Go's heap.
func (d *Device) UploadVector(ctx context.Context, label string, params ...Parameter) (*Buffer, error) {
	var values []float32
	for _, param := range params {
		v, err := d.float32(ctx, param)
		if err != nil {
			return nil, err
		}
		values = append(values, v...)
	}
	return d.NewVector(label, values), nil
}

// float32 reads a small parameter, but not for a planner that compiles, where it is zero.
func (d *Device) float32(ctx context.Context, p Parameter) ([]float32, error) {
	if d.compiles != nil {
		return make([]float32, p.Count()), nil
	}
	return p.Float32(ctx)
}

// NewVector uploads numbers as f32.
func (d *Device) NewVector(label string, values []float32) *Buffer {
	p := make([]byte, (4*len(values)+15)&^15)
	for i, v := range values {
		binary.LittleEndian.PutUint32(p[4*i:], math.Float32bits(v))
	}
	b := d.NewBuffer(label, int64(len(p)))
	b.WriteBytes(0, webapi.BytesOf(p))
	return b
}

// Float32 reads the whole parameter into Go's heap. It is meant for small ones.
func (p Parameter) Float32(ctx context.Context) ([]float32, error) {
	size := p.ElementBytes()
	if size == 0 {
		return nil, p.unsupported()
	}
	b, err := p.Read(ctx, 0, int64(p.Count()*size))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", p.Name, err)
	}
	raw := webapi.GoBytes(b)
	values := make([]float32, p.Count())
	for i := range values {
		switch p.DType {
		case "F16":
			values[i] = Float32(binary.LittleEndian.Uint16(raw[2*i:]))
		case "BF16":
			values[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(raw[2*i:])) << 16)
		case "F8_E4M3":
			values[i] = float8(raw[i], 3)
		case "F8_E5M2":
			values[i] = float8(raw[i], 2)
		default:
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	}
	for _, c := range p.Changes {
		if err := c.Fits(p.Shape); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		added, err := c.Factors[0].Whole.Float32(ctx)
		if err != nil {
			return nil, err
		}
		for i, v := range added {
			values[i] += float32(c.Scale) * v
		}
	}
	return values, nil
}

// float8 returns the value of an 8-bit float whose mantissa has 3 bits (E4M3, torch's float8_e4m3fn) or
// 2 bits (E5M2, float8_e5m2). Only E5M2 has infinities (arXiv 2209.05433).
func float8(code byte, mantissa int) float32 {
	exponents := 7 - mantissa
	m := int(code) & (1<<mantissa - 1)
	e := int(code) >> mantissa & (1<<exponents - 1)
	bias := 1<<(exponents-1) - 1
	v := math.Ldexp(1+math.Ldexp(float64(m), -mantissa), e-bias)
	switch {
	case e == 0:
		v = math.Ldexp(float64(m), 1-bias-mantissa)
	case mantissa == 3 && code&0x7f == 0x7f, mantissa == 2 && e == 31 && m != 0:
		v = math.NaN()
	case mantissa == 2 && e == 31:
		v = math.Inf(1)
	}
	return float32(math.Copysign(v, 1-float64(code>>7)*2))
}

// MemoryParameter returns an F32 parameter whose values are in Go's heap.
func MemoryParameter(name string, values []float32, shape ...int) Parameter {
	raw := make([]byte, 4*len(values))
	for i, v := range values {
		binary.LittleEndian.PutUint32(raw[4*i:], math.Float32bits(v))
	}
	return Parameter{Name: name, DType: "F32", Shape: shape, Read: func(_ context.Context, off, n int64) (webapi.Bytes, error) {
		return webapi.BytesOf(raw[off : off+n]), nil
	}}
}
