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
// has at 512 × 512, or, on a processor that emulates a GPU, of smaller ones, and chooses among them (see
// TryVariants). It sets the device's kernels back to what they were.
func (d *Device) Try(ctx context.Context) (Trials, error) {
	before := d.kernels
	defer func() { d.kernels = before }()
	return d.TryVariants(ctx, func(key string, v Variant) (float64, []float32, error) {
		k := Kernels{For: before.For}.With(key, v.Name)
		if winogradTile(v.Name) > 0 { // its products are those of linear layers
			k = k.With("linear/large", before.variant(LinearClass, "large"))
		}
		if err := d.SetKernels(k); err != nil {
			return 0, nil, err
		}
		return d.try(ctx, key)
	})
}

// try records the operation of a key, and returns its time and some of its numbers.
func (d *Device) try(ctx context.Context, key string) (milliseconds float64, result []float32, err error) {
	p := d.NewProgram("trial of " + key)
	defer p.Release()
	part := 1
	if d.Info.Software {
		part = tiny
	}
	y, release, err := d.recordTrial(ctx, p, key, part)
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

// Paces measures how many seconds the device takes for one unit of each key's Work, with the kernels
// that are chosen. It runs a few operations of the shapes that Stable Diffusion 1.5 has, or, on a processor that emulates a GPU, of smaller ones. It
// takes about half a second, and some memory that is free again afterwards. ctx may end it.
func (d *Device) Paces(ctx context.Context) (map[string]float64, error) {
	keys, part := []string{"conv/large", "conv/small", "linear/large", "linear/small", "attention/40", "attention/80", "attention/160", "attention/512", MemoryWork}, 1
	if d.Info.Software {
		keys, part = []string{"conv/large", "conv/small", "linear/large", "attention/40", MemoryWork}, 4
		if !d.onProcessor() {
			part = tiny
		}
	}
	if d.Winograd() > 0 {
		// Its parts count as products of linear layers and as memory. This is about the other convolutions.
		before := d.kernels
		defer func() { d.kernels = before }()
		d.kernels = before.With("conv/large", before.variant(LinearClass, "large"))
	}
	// One program has all of them, so that their shaders are compiled at the same time.
	p := d.NewProgram("paces")
	var inputs []func()
	defer func() {
		p.Release()
		for _, release := range inputs {
			release()
		}
	}()
	for _, key := range keys {
		_, release, err := d.recordTrial(ctx, p, key, part)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, release)
	}
	if err := p.Build(ctx); err != nil {
		return nil, err
	}
	seconds, done := map[string]float64{}, Work{}
	for i, ds := range p.dispatches {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		times, err := p.Profile(ctx, 0, trialTime, i)
		if err != nil {
			return nil, err
		}
		key, amount := ds.Work()
		seconds[key] += times[0].Milliseconds / 1e3
		done[key] += amount
	}
	if !d.F16 {
		done[MemoryWork] /= 2 // Work is listed with activations in f16
	}
	for key := range seconds {
		seconds[key] /= done[key]
	}
	return seconds, nil
}

// tiny is the part for a GPU's kernels on a processor, which takes a hundred times as long for them as for its own.
const tiny = 16

// recordTrial records the operation that a key names, of a shape that Stable Diffusion 1.5 has at
// 512 × 512. Its numbers of rows and of channels are divided by part, except for those of a head.
// release frees its inputs.
func (d *Device) recordTrial(ctx context.Context, p *Program, key string, part int) (y *Tensor, release func(), err error) {
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
	small := func(side int) int { // sides that are divided for the tiny shapes alone
		if part == tiny {
			return side / 8
		}
		return side
	}
	conv := func(batch, side, channels int, up [2]int) (*Tensor, func(), error) {
		channels /= part
		w := Parameter{Name: "trial weight", DType: "F16", Shape: []int{channels, channels, 3, 3}, Read: func(_ context.Context, _, n int64) (webapi.Bytes, error) {
			return noise(n, F16, float32(9*channels)), nil
		}}
		if up == [2]int{} {
			w.Winograd = d.WinogradTile(channels, channels, w.As)
		}
		cw, err := d.NewConvWeight(ctx, w.Name, []Parameter{w}, nil, false)
		if err != nil {
			release()
			return nil, nil, err
		}
		held = append(held, cw)
		return Conv2d(p, input(batch, side, side, channels), cw, Conv2dOptions{Label: key, Padding: 1, UpsampleTo: up}), release, nil
	}
	linear := func(rows, in, out int) *Tensor {
		w := &ConvWeight{In: in / part, Out: out / part, Size: 1, dtype: WeightF16}
		w.packed = d.NewBuffer("trial weight", w.bytes())
		held = append(held, w)
		w.packed.WriteBytes(0, noise(w.bytes(), F16, float32(w.In)))
		return Linear(p, input(2, rows/part, w.In), w, LinearOptions{Label: key})
	}
	class, shape, _ := strings.Cut(key, "/")
	large := shape == "large"
	switch Class(class) {
	case ConvClass, GroupsClass:
		if large {
			return conv(2, 64/part, 320, [2]int{})
		}
		return conv(2, small(16), 640, [2]int{})
	case LinearClass:
		if large {
			return linear(4096, 320, 960), release, nil
		}
		return linear(256, 1280, 1280), release, nil
	case AttentionClass:
		size, err := strconv.Atoi(shape)
		if err != nil {
			break
		}
		heads, tokens := 8, 1024/part
		if size > 160 || part == tiny {
			heads = 1 // as the VAE's has
		}
		c := heads * size
		qkv := input(2, tokens, 3*c)
		return Attention(p, qkv, qkv, AttentionOptions{Label: key, Heads: heads, HeadSize: size, KAt: c, VAt: 2 * c}), release, nil
	case UpsampleClass:
		return conv(2, small(32), 640, [2]int{small(64), small(64)})
	case MemoryWork:
		x := input(2, 64/part, 64/part, 320)
		return GroupNorm(p, x, &NormWeight{Channels: 320}, GroupNormOptions{Label: key, Groups: 32, Eps: 1e-5}), release, nil
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
