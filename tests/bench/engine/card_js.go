//go:build js && wasm

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"syscall/js"
	"time"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
	"github.com/imprompt/imprompt/model/vae"
)

// card {layout, part, latents, batch} makes Stable Diffusion 1.5's UNet or the VAE's decoder
// with random weights. layout is the text of tests/fixtures/full/layout.json. It returns the
// bytes on the GPU and the seconds that it took.
func (b *bench) card(args []js.Value) (any, error) {
	var layout map[string]json.RawMessage
	if err := json.Unmarshal([]byte(args[0].Get("layout").String()), &layout); err != nil {
		return nil, err
	}
	part, latents, batch := args[0].Get("part").String(), args[0].Get("latents").Int(), args[0].Get("batch").Int()
	began := time.Now()
	load := func(n nn.Network, file string) error {
		var l struct{ Shapes map[string][]int }
		if err := json.Unmarshal(layout[file], &l); err != nil {
			return err
		}
		b.release = append(b.release, func() { nn.Unload(n) })
		b.reload = func() error {
			nn.Unload(n)
			b.tile = b.device.Winograd()
			return nn.Load(background, b.device, n, &random{shapes: l.Shapes}, gpu.WeightF16, nil)
		}
		return b.reload()
	}
	input := func(name string, shape ...int) *gpu.Tensor {
		x := b.tensor(name, shape...)
		x.SetFloat32(waves(x.Rows() * x.Channels()))
		return x
	}
	switch part {
	case "unet":
		config, err := unet.ParseConfig(layout["sd15/unet/config.json"])
		if err != nil {
			return nil, err
		}
		u := unet.New(config)
		if err := load(u, "sd15/unet/diffusion_pytorch_model.fp16.safetensors"); err != nil {
			return nil, err
		}
		words := input("words", batch, 77, config.CrossAttentionDim)
		conditioning, err := u.NewConditioning(background, b.device, unet.ConditioningOptions{Timesteps: []float64{500}, Words: words})
		if err != nil {
			return nil, err
		}
		b.release = append(b.release, conditioning.Release)
		sample := input("sample", batch, latents, latents, config.InChannels)
		b.record = func(p *gpu.Program) *gpu.Tensor { return u.Record(p, sample, conditioning, nil) }
	case "decoder":
		config, err := vae.ParseConfig(layout["sd15/vae/config.json"])
		if err != nil {
			return nil, err
		}
		v := vae.New(config)
		if err := load(v.Decoder, "sd15/vae/diffusion_pytorch_model.fp16.safetensors"); err != nil {
			return nil, err
		}
		sample := input("latents", 1, latents, latents, config.LatentChannels)
		b.record = func(p *gpu.Program) *gpu.Tensor { return v.Decoder.Record(p, sample) }
	default:
		return nil, fmt.Errorf("there is no part %q: unet or decoder", part)
	}
	if err := b.device.Check(); err != nil {
		return nil, err
	}
	return map[string]any{"seconds": time.Since(began).Seconds(), "bytes": float64(b.device.MemoryBytes())}, nil
}

// kernels TEXT records what card has made with other kernels (gpu.ParseKernels) and compiles
// it. It returns the number of dispatches, the floating-point operations and the seconds.
func (b *bench) kernels(args []js.Value) (any, error) {
	k, err := gpu.ParseKernels(args[0].String())
	if err != nil {
		return nil, err
	}
	if err := b.device.SetKernels(k); err != nil {
		return nil, err
	}
	b.forget()
	if b.device.Winograd() != b.tile { // the weights have to be transformed, or not
		if err := b.reload(); err != nil {
			return nil, err
		}
	}
	began := time.Now()
	p := b.device.NewProgram("card")
	b.output = b.record(p)
	p.Keep(b.output)
	b.program = p
	if err := p.Build(background); err != nil {
		return nil, err
	}
	return map[string]any{"dispatches": p.Len(), "flop": p.Cost(), "seconds": time.Since(began).Seconds(), "bytes": float64(b.device.MemoryBytes())}, nil
}

// forget releases the program that kernels has recorded.
func (b *bench) forget() {
	if b.record != nil && b.program != nil {
		b.program.Release()
		b.output.Release()
		b.program, b.output = nil, nil
	}
}

// variants returns the names of the variants that the device can run, by class.
func (b *bench) variants([]js.Value) (any, error) {
	out := map[string]any{}
	for _, c := range gpu.Classes {
		var names []any
		for _, v := range b.device.Variants(c) {
			names = append(names, v.Name)
		}
		out[string(c)] = names
	}
	return out, nil
}

// steps COUNT runs the program that many times, and waits for the GPU after the last. It
// returns the milliseconds of a run, and those in which the processor prepared it.
func (b *bench) steps(args []js.Value) (any, error) {
	count := args[0].Int()
	began := time.Now()
	for i := range count {
		if i < count-1 {
			if err := b.program.Run(background, 0); err != nil {
				return nil, err
			}
		} else if err := b.program.RunWait(background, 0); err != nil {
			return nil, err
		}
	}
	return map[string]any{"ms": time.Since(began).Seconds() * 1e3 / float64(count), "calls": b.program.Calls()}, nil
}

// shapes MILLISECONDS, SKIP measures every different dispatch of the program and returns
// [{kernel, label, shape, ms, flop, count}], without those whose keys are in the array SKIP.
func (b *bench) shapes(args []js.Value) (any, error) {
	atLeast := time.Duration(args[0].Float() * float64(time.Millisecond))
	skip := map[string]bool{}
	if list := args[1]; list.Truthy() {
		for i := range list.Length() {
			skip[list.Index(i).String()] = true
		}
	}
	type row struct{ index, count int }
	index := map[string]*row{}
	var keys []string
	for i, ds := range b.program.Dispatches() {
		key := shapeOf(ds)
		if skip[key] {
			continue
		}
		if index[key] == nil {
			index[key] = &row{index: i}
			keys = append(keys, key)
		}
		index[key].count++
	}
	only := make([]int, len(keys))
	for i, key := range keys {
		only[i] = index[key].index
	}
	times, err := b.program.Profile(background, 0, atLeast, only...)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(times))
	for i, t := range times {
		ds := b.program.Dispatches()[only[i]]
		out[i] = map[string]any{"kernel": t.Kernel, "label": t.Label, "shape": keys[i], "ms": t.Milliseconds, "flop": t.Cost, "count": index[keys[i]].count,
			"groups": ds.Groups[0] * ds.Groups[1] * ds.Groups[2]}
	}
	return out, nil
}

// shapeOf is what two dispatches that take the same time have in common.
func shapeOf(ds gpu.Dispatch) string {
	params := map[string]any{}
	for _, p := range ds.Params {
		params[p.Name] = p.Value
	}
	text := ds.Kernel
	for _, c := range ds.Consts {
		switch c.Name {
		case "MV", "NV", "EARLY", "ROLLED", "QUADS", "SPLIT", "CROSS":
			text += fmt.Sprintf(" %s=%v", c.Name, c.Value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		text += fmt.Sprintf(" %s=%v", name, params[name])
	}
	return text + fmt.Sprint(" ", ds.Groups)
}

// random is a checkpoint of random numbers of about the size that trained weights have.
type random struct {
	shapes map[string][]int
	blocks map[int]js.Value
}

func (r *random) Names() []string { return slices.Collect(maps.Keys(r.shapes)) }

func (r *random) Info(name string) (string, []int, bool) {
	shape, ok := r.shapes[name]
	return "F16", shape, ok
}

// Read returns numbers between -1 and 1, divided by a power of two near the square root of
// the number of inputs.
func (r *random) Read(_ context.Context, name string, _, n int64) (webapi.Bytes, error) {
	inputs := 1
	if shape := r.shapes[name]; len(shape) > 1 {
		for _, s := range shape[1:] {
			inputs *= s
		}
	}
	power := 0
	for 1<<(2*power) < inputs {
		power++
	}
	block, ok := r.blocks[power]
	if !ok {
		const count, copies = 1 << 18, 32
		raw := make([]byte, 2*count)
		state := uint32(power + 1)
		for i := range count {
			state = state*1664525 + 1013904223
			h := gpu.Float16((float32(state>>8)/(1<<23) - 1) / float32(int(1)<<power))
			raw[2*i], raw[2*i+1] = byte(h), byte(h>>8)
		}
		block = js.Global().Get("Uint8Array").New(2 * count * copies)
		for i := range copies {
			block.Call("set", webapi.BytesOf(raw), 2*count*i)
		}
		if r.blocks == nil {
			r.blocks = map[int]js.Value{}
		}
		r.blocks[power] = block
	}
	return block.Call("subarray", 0, n), nil
}

// waves are numbers in -1..1 without a short period.
func waves(n int) []float32 {
	v := make([]float32, n)
	state := uint32(9)
	for i := range v {
		state = state*1664525 + 1013904223
		v[i] = float32(state>>8)/(1<<23) - 1
	}
	return v
}
