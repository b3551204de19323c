//go:build js && wasm

// Engine is the engine's side of ./build.sh bench. It provides globalThis.impromptBench, whose
// functions return promises. compare.mjs calls them, in Node or in a browser, and card.mjs in
// Node.
package main

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"syscall/js"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/guides/ipadapter"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
	"github.com/imprompt/imprompt/tests/promise"
	"github.com/imprompt/imprompt/web"
)

var background = context.Background()

// bench is an open device and what is being measured on it.
type bench struct {
	device  *gpu.Device
	program *gpu.Program
	output  *gpu.Tensor
	record  func(p *gpu.Program) *gpu.Tensor // what card has made
	reload  func() error                     // loads its network again
	tile    int                              // that its weights are transformed for
	release []func()
}

func main() {
	b := &bench{}
	functions := map[string]func(args []js.Value) (any, error){
		"open":     b.open,
		"unet":     b.unet,
		"op":       b.op,
		"run":      func([]js.Value) (any, error) { return nil, b.program.RunWait(background, 0) },
		"output":   b.read,
		"profile":  b.profile,
		"load":     b.load,
		"lora":     b.lora,
		"card":     b.card,
		"kernels":  b.kernels,
		"variants": b.variants,
		"steps":    b.steps,
		"shapes":   b.shapes,
		"free":     func([]js.Value) (any, error) { b.free(); return nil, nil },
		"close":    func([]js.Value) (any, error) { b.close(); return nil, nil },
	}
	api := js.Global().Get("Object").New()
	for name, f := range functions {
		api.Set(name, promise.Func(f))
	}
	api.Set("exit", js.FuncOf(func(_ js.Value, args []js.Value) any { go os.Exit(args[0].Int()); return nil }))
	js.Global().Set("impromptBench", api)
	if ready := js.Global().Get("impromptBenchReady"); ready.Type() == js.TypeFunction {
		ready.Invoke()
	}
	select {}
}

// open {noF16} opens a device and returns what it is.
func (b *bench) open(args []js.Value) (any, error) {
	d, err := gpu.Open(background, gpu.Options{NoF16: args[0].Get("noF16").Truthy()})
	if err != nil {
		return nil, err
	}
	b.device = d
	return map[string]any{"adapter": d.Info.String(), "f16": d.F16, "subgroups": d.Subgroups}, nil
}

func (b *bench) free() {
	b.forget()
	b.record = nil
	for i := len(b.release) - 1; i >= 0; i-- {
		b.release[i]()
	}
	b.release = nil
}

func (b *bench) close() {
	b.free()
	b.device.Close()
}

func folder(name string) loader.Folder {
	if len(name) > 7 && name[:4] == "http" {
		return loader.Web(name)
	}
	return loader.Directory(name)
}

// unet FOLDER, bench.json, {sample, words, picture} loads a UNet and compiles a step. It
// returns the number of dispatches, the seconds of compiling, and the memory in use.
func (b *bench) unet(args []js.Value) (any, error) {
	f := folder(args[0].String())
	var o struct {
		Batch, Latents, Tokens int
		Scale, Timestep        float64
		Shapes                 map[string][]int
	}
	if err := json.Unmarshal([]byte(args[1].String()), &o); err != nil {
		return nil, err
	}
	raw, err := loader.ReadFile(background, f, "unet/config.json")
	if err != nil {
		return nil, err
	}
	config, err := unet.ParseConfig(raw)
	if err != nil {
		return nil, err
	}
	weights, err := loader.OpenFolder(f).Network(background, "unet")
	if err != nil {
		return nil, err
	}
	u := unet.New(config)
	if err := nn.Load(background, b.device, u, weights, gpu.WeightF16, nil); err != nil {
		return nil, err
	}
	b.release = append(b.release, func() { nn.Unload(u) })
	source, err := f.Open(background, web.Ships.Adapters[0].File)
	if err != nil {
		return nil, err
	}
	c, err := loader.OpenFileOfWeights(background, source)
	if err != nil {
		return nil, err
	}
	adapter, err := ipadapter.New(c, u)
	if err != nil {
		return nil, err
	}
	if err := nn.Load(background, b.device, adapter, c, gpu.WeightF16, nil); err != nil {
		return nil, err
	}
	b.release = append(b.release, func() { nn.Unload(adapter) })

	words := b.tensor("words", o.Batch, o.Shapes["words"][1], config.CrossAttentionDim)
	words.SetFloat32(floats(args[2].Get("words")))
	picture := b.tensor("picture", o.Batch, adapter.NumTokens(257), config.CrossAttentionDim)
	picture.SetFloat32(floats(args[2].Get("picture")))
	kv, err := adapter.KV(background, b.device, picture)
	if err != nil {
		return nil, err
	}
	for _, t := range kv {
		b.release = append(b.release, t.Release)
	}
	layers, err := guides.Layers(u, o.Scale, "all")
	if err != nil {
		return nil, err
	}
	var taps unet.ConditioningTaps
	taps.AddDecoupled(unet.Decoupled{KV: kv, Lambda: guides.Lambda{Layers: layers, End: 1}.Table(1)})
	conditioning, err := u.NewConditioning(background, b.device, unet.ConditioningOptions{Timesteps: []float64{o.Timestep}, Words: words, Taps: taps})
	if err != nil {
		return nil, err
	}
	b.release = append(b.release, conditioning.Release)
	sample := b.tensor("sample", o.Batch, o.Latents, o.Latents, config.InChannels)
	sample.SetFloat32(toNHWC(floats(args[2].Get("sample")), o.Shapes["sample"]))
	p := b.device.NewProgram("UNet step")
	b.release = append(b.release, p.Release)
	b.output = u.Record(p, sample, conditioning, nil)
	p.Keep(b.output)
	b.release = append(b.release, b.output.Release)
	b.program = p
	if err := p.Build(background); err != nil {
		return nil, err
	}
	return map[string]any{"dispatches": p.Len(), "compileSeconds": b.device.CompileMilliseconds() / 1e3, "flop": p.Cost(),
		"bytes": float64(b.device.MemoryBytes())}, nil
}

// tensor is a tensor of activations that free releases.
func (b *bench) tensor(name string, shape ...int) *gpu.Tensor {
	t := b.device.NewTensor(name, gpu.Act, shape...)
	b.release = append(b.release, t.Release)
	return t
}

// read returns the output as a Float32Array, a picture in torch's order, NCHW.
func (b *bench) read([]js.Value) (any, error) {
	v, err := b.output.Float32(background)
	if err != nil {
		return nil, err
	}
	if len(b.output.Shape) == 4 {
		v = toNCHW(v, b.output.Shape)
	}
	return typed(v), nil
}

// profile runs every dispatch separately and returns [{kernel, label, ms, flop}].
func (b *bench) profile([]js.Value) (any, error) {
	times, err := b.program.Profile(background, 0, 0)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(times))
	for i, t := range times {
		out[i] = map[string]any{"kernel": t.Kernel, "label": t.Label, "ms": t.Milliseconds, "flop": t.Cost}
	}
	return out, nil
}

func floats(v js.Value) []float32 {
	raw := webapi.GoBytes(js.Global().Get("Uint8Array").New(v.Get("buffer"), v.Get("byteOffset"), v.Get("byteLength")))
	out := make([]float32, len(raw)/4)
	for i := range out {
		out[i] = math.Float32frombits(uint32(raw[4*i]) | uint32(raw[4*i+1])<<8 | uint32(raw[4*i+2])<<16 | uint32(raw[4*i+3])<<24)
	}
	return out
}

func typed(v []float32) js.Value {
	raw := make([]byte, 4*len(v))
	for i, x := range v {
		u := math.Float32bits(x)
		raw[4*i], raw[4*i+1], raw[4*i+2], raw[4*i+3] = byte(u), byte(u>>8), byte(u>>16), byte(u>>24)
	}
	return webapi.TypedArray("Float32Array", raw)
}

// toNHWC takes values of shape [N, C, H, W].
func toNHWC(v []float32, shape []int) []float32 {
	return transpose(v, shape[0], shape[1], shape[2]*shape[3])
}

// toNCHW takes values of shape [N, H, W, C].
func toNCHW(v []float32, shape []int) []float32 {
	return transpose(v, shape[0], shape[1]*shape[2], shape[3])
}

// transpose swaps the last two of [n, a, b].
func transpose(v []float32, n, a, b int) []float32 {
	out := make([]float32, len(v))
	for i := range n {
		for j := range a {
			for k := range b {
				out[(i*b+k)*a+j] = v[(i*a+j)*b+k]
			}
		}
	}
	return out
}
