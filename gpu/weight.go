package gpu

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"runtime"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// Parameter is a tensor of a checkpoint on its way to the GPU. Package loader's
// checkpoints make them; nothing is read before Read is called.
type Parameter struct {
	Name  string
	DType string // safetensors' word: "F16", "F32" or "BF16"
	Shape []int
	// Read returns n bytes from offset off of the tensor's data, little-endian.
	Read func(ctx context.Context, off, n int64) (webapi.Bytes, error)
}

// Count is how many numbers the parameter has.
func (p Parameter) Count() int {
	n := 1
	for _, s := range p.Shape {
		n *= s
	}
	return n
}

// ElementBytes is the size of one number in the checkpoint, or 0 for a type that
// the engine does not read.
func (p Parameter) ElementBytes() int {
	switch p.DType {
	case "F16", "BF16":
		return 2
	case "F32":
		return 4
	}
	return 0
}

// The types of staged parameters, for the kernels that repack them.
const (
	sourceF16 = iota
	sourceF32
	sourceBF16
)

var sourceCodes = []Const{{"SOURCE_F16", sourceF16}, {"SOURCE_F32", sourceF32}, {"SOURCE_BF16", sourceBF16}}

func (p Parameter) source() int {
	switch p.DType {
	case "F32":
		return sourceF32
	case "BF16":
		return sourceBF16
	}
	return sourceF16
}

// StageBytes is the most that is staged at once on its way to the GPU. A tab holds it
// several times over: as bytes, and as what the browser copies to its GPU process.
const StageBytes = 16 << 20

// Repack copies a parameter to the GPU in runs of whole rows (a row is what one
// index of the first dimension spans) and calls record for each: record appends the
// dispatches that read the staged rows [row, row+rows), which begin at element 0 of
// staged, to the program given. The staging buffer is freed when the GPU is done.
func (d *Device) Repack(ctx context.Context, param Parameter, record func(p *Program, staged *Buffer, row, rows int)) error {
	size := param.ElementBytes()
	if size == 0 {
		return fmt.Errorf("%s has the type %s; F16, F32 and BF16 are supported", param.Name, param.DType)
	}
	total := param.Shape[0]
	rowBytes := int64(param.Count()/total) * int64(size)
	each := int(max(1, min(int64(total), StageBytes/rowBytes)))
	if each >= 4 && each < total {
		each &^= 3 // a matrix's rows become vec4 columns: a run must begin at one
	}
	for row := 0; row < total; row += each {
		rows := min(each, total-row)
		b, err := param.Read(ctx, int64(row)*rowBytes, int64(rows)*rowBytes)
		if err != nil {
			return fmt.Errorf("reading %s: %w", param.Name, err)
		}
		staged := d.NewBuffer("staging "+param.Name, int64(webapi.NumBytes(b)))
		staged.WriteBytes(0, b)
		p := d.NewProgram("repack " + param.Name)
		record(p, staged, row, rows)
		err = p.Build(ctx)
		if err == nil {
			err = p.Run(ctx, 0)
		}
		p.Release()
		staged.Release()
		if err != nil {
			return err
		}
		if err := d.collect(ctx, int64(rows)*rowBytes); err != nil {
			return err
		}
	}
	return nil
}

// collect waits for the GPU and has Go let go of what it no longer uses of JavaScript,
// every 32 MiB that pass by: a browser copies faster than a GPU takes, and Go's heap hardly
// grows meanwhile, so that it would not look for long. The bytes of a whole file would stay.
func (d *Device) collect(ctx context.Context, passed int64) error {
	if d.passed += passed; d.passed < 32<<20 {
		return nil
	}
	d.passed = 0
	runtime.GC()
	return d.wait(ctx)
}

// UploadVector puts parameters, one behind the other, on the GPU as f32: biases,
// norm scales, short tables. They pass through Go's heap, and so must be small.
func (d *Device) UploadVector(ctx context.Context, label string, params ...Parameter) (*Buffer, error) {
	var values []float32
	for _, param := range params {
		v, err := param.Float32(ctx)
		if err != nil {
			return nil, err
		}
		values = append(values, v...)
	}
	return d.NewVector(label, values), nil
}

// NewVector puts numbers on the GPU as f32.
func (d *Device) NewVector(label string, values []float32) *Buffer {
	p := make([]byte, (4*len(values)+15)&^15)
	for i, v := range values {
		binary.LittleEndian.PutUint32(p[4*i:], math.Float32bits(v))
	}
	b := d.NewBuffer(label, int64(len(p)))
	b.WriteBytes(0, webapi.BytesOf(p))
	return b
}

// Float32 reads the whole parameter into Go's heap; it must be small.
func (p Parameter) Float32(ctx context.Context) ([]float32, error) {
	size := p.ElementBytes()
	if size == 0 {
		return nil, fmt.Errorf("%s has the type %s; F16, F32 and BF16 are supported", p.Name, p.DType)
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
		default:
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	}
	return values, nil
}

// MemoryParameter is a parameter of numbers that are in Go's heap, as F32.
func MemoryParameter(name string, values []float32, shape ...int) Parameter {
	raw := make([]byte, 4*len(values))
	for i, v := range values {
		binary.LittleEndian.PutUint32(raw[4*i:], math.Float32bits(v))
	}
	return Parameter{Name: name, DType: "F32", Shape: shape, Read: func(_ context.Context, off, n int64) (webapi.Bytes, error) {
		return webapi.BytesOf(raw[off : off+n]), nil
	}}
}
