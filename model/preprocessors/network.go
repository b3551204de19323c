package preprocessors

import (
	"context"
	"fmt"
	"math"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/nn"
)

// Network is a network that makes maps.
type Network interface {
	nn.Network
	// Map makes the map of a picture. The weights are on the GPU. options are the values of the options of its maps.Method.
	Map(ctx context.Context, d *gpu.Device, m *imageproc.Image, options []float64) (*imageproc.Image, error)
}

// RangeError says that a network's numbers left the range of their type.
type RangeError struct{ Network string }

func (e *RangeError) Error() string {
	return fmt.Sprintf("the %s gave numbers that are too large", e.Network)
}

// Run runs a network once, and returns its results, F32 and in row-major order. A RangeError says that they are not to be used.
func Run(ctx context.Context, d *gpu.Device, n nn.Network, record func(p *gpu.Program) []*gpu.Tensor) ([][]float32, error) {
	saturation := d.NewSaturation()
	defer saturation.Release()
	tensors, err := nn.OnceAll(ctx, d, n.Name(), func(p *gpu.Program) []*gpu.Tensor {
		p.Saturation = saturation
		return record(p)
	})
	if err != nil {
		return nil, err
	}
	var results [][]float32
	for _, t := range tensors {
		values, e := t.Float32(ctx)
		if err == nil {
			err = e
		}
		t.Release()
		for _, v := range values {
			if err == nil && math.Float32bits(v)&0x7f800000 == 0x7f800000 {
				err = &RangeError{n.Name()}
			}
		}
		results = append(results, values)
	}
	if err != nil {
		return nil, err
	}
	if seen, err := saturation.Seen(ctx); err != nil || seen {
		if err == nil {
			err = &RangeError{n.Name()}
		}
		return nil, err
	}
	return results, nil
}

// Memory is about how many bytes of the GPU's memory a network holds while it makes a map, besides its weights.
func Memory(m *imageproc.Image) int64 {
	const least, pixel = 128 << 20, 1 << 10
	return max(least, int64(m.Width*m.Height)*pixel)
}
