//go:build js && wasm

package gpu

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// trialTime is how long a variant runs for a measurement: browsers round timestamps to
// 100 µs.
const trialTime = 5 * time.Millisecond

// Try measures the device's variants on operations of the shapes that Stable Diffusion 1.5
// has at 512 × 512, and chooses among them (see TryVariants). It sets the device's kernels
// back to what they were.
func (d *Device) Try(ctx context.Context) (Trials, error) {
	before := d.kernels
	defer func() { d.kernels = before }()
	return d.TryVariants(ctx, func(key string, v Variant) (float64, []float32, error) {
		if err := d.SetKernels(Kernels{For: before.For}.With(key, v.Name)); err != nil {
			return 0, nil, err
		}
		return d.try(ctx, key)
	})
}

// try records the operation of a key, and returns its time and some of its numbers.
func (d *Device) try(ctx context.Context, key string) (milliseconds float64, result []float32, err error) {
	p := d.NewProgram("trial of " + key)
	defer p.Release()
	y, release, err := d.recordTrial(p, key)
	if err != nil {
		return 0, nil, err
	}
	defer release()
	p.Keep(y)
	defer y.Release()
	if err := p.Build(ctx); err != nil {
		return 0, nil, err
	}
	if err := p.Run(ctx, 0); err != nil {
		return 0, nil, err
	}
	if result, err = y.Float32(ctx); err != nil {
		return 0, nil, err
	}
	times, err := p.Profile(ctx, 0, trialTime)
	for _, t := range times {
		milliseconds += t.Milliseconds
	}
	return milliseconds, result, err
}

// recordTrial records an operation of the shape that a key names. release frees its inputs.
func (d *Device) recordTrial(p *Program, key string) (y *Tensor, release func(), err error) {
	var held []interface{ Release() }
	release = func() {
		for _, h := range held {
			h.Release()
		}
	}
	input := func(shape ...int) *Tensor {
		x := d.NewTensor("trial input", Act, shape...)
		held = append(held, x)
		x.root().buffer.WriteBytes(0, noise(x.Bytes(), x.DType, 1))
		return x
	}
	weight := func(in, out, size int) *ConvWeight {
		w := &ConvWeight{In: in, Out: out, Size: size, dtype: WeightF16}
		bytes := int64(2 * size * size * in * w.columns())
		w.packed = d.NewBuffer("trial weight", bytes)
		held = append(held, w)
		w.packed.WriteBytes(0, noise(bytes, F16, float32(in*size*size)))
		return w
	}
	class, shape, _ := strings.Cut(key, "/")
	large := shape == "large"
	switch Class(class) {
	case ConvClass, GroupsClass:
		if large {
			return Conv2d(p, input(2, 64, 64, 320), weight(320, 320, 3), Conv2dOptions{Label: key, Padding: 1}), release, nil
		}
		return Conv2d(p, input(2, 16, 16, 640), weight(640, 640, 3), Conv2dOptions{Label: key, Padding: 1}), release, nil
	case LinearClass:
		if large {
			return Linear(p, input(2, 4096, 320), weight(320, 960, 1), LinearOptions{Label: key}), release, nil
		}
		return Linear(p, input(2, 256, 1280), weight(1280, 1280, 1), LinearOptions{Label: key}), release, nil
	case AttentionClass:
		size, err := strconv.Atoi(shape)
		if err != nil {
			break
		}
		heads, tokens := 8, 1024
		if size > 160 {
			heads = 1 // the VAE's
		}
		c := heads * size
		qkv := input(2, tokens, 3*c)
		return Attention(p, qkv, qkv, AttentionOptions{Label: key, Heads: heads, HeadSize: size, KAt: c, VAt: 2 * c}), release, nil
	case UpsampleClass:
		return Conv2d(p, input(2, 32, 32, 640), weight(640, 640, 3), Conv2dOptions{Label: key, Padding: 1, UpsampleTo: [2]int{64, 64}}), release, nil
	}
	return nil, nil, fmt.Errorf("gpu: there is no trial for %s", key)
}

// noise is an array of random numbers whose squares have the mean 1/fan.
func noise(bytes int64, dt DType, fan float32) webapi.Bytes {
	rng := rand.New(rand.NewPCG(1, 2))
	all := make([]byte, bytes)
	const block = 64 << 10 // which is repeated
	for i := 0; i < int(min(bytes, block)); i += dt.Size() {
		v := float32(rng.NormFloat64()) / float32(math.Sqrt(float64(fan)))
		if dt == F16 {
			binary.LittleEndian.PutUint16(all[i:], Float16(v))
		} else {
			binary.LittleEndian.PutUint32(all[i:], math.Float32bits(v))
		}
	}
	for n := block; n < len(all); n *= 2 {
		copy(all[n:], all[:n])
	}
	return webapi.BytesOf(all)
}
