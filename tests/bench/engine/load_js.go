//go:build js && wasm

package main

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"syscall/js"
	"time"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
)

// load FOLDER ROUNDS LORA measures how long a UNet takes from where it is stored to the GPU, where it is
// repacked. A folder on the network is first downloaded into IndexedDB. It returns {bytes}, and for
// each of these, in Seconds and in CPU (see time), the median; read and copy take turns for so many rounds:
//
//	download      once, into IndexedDB
//	read          reading the file without using it, in pieces of readPiece bytes with readAhead under way,
//	              which is the best of several sizes and numbers that were tried first
//	load          loading the network, with the compiling of the kernels that repack
//	copy          loading it without the dispatches that repack. A GPU repacks far faster than a storage reads, but
//	              where a processor plays the GPU it is most of the work
//
// and with LORA also
//
//	attentions    merging a LoRA of rank 64 into the transformers' layers of the UNet that is on the GPU
//	all           merging one into all layers, as LCM-LoRA is
func (b *bench) load(args []js.Value) (any, error) {
	out := map[string]any{}
	f := folder(args[0].String())
	if _, ok := f.(loader.Web); ok {
		s, err := store.Open(background, nil)
		if err != nil {
			return nil, err
		}
		err = b.time(out, "download", func() error {
			for _, name := range []string{"/unet/config.json", "/unet/diffusion_pytorch_model.safetensors"} {
				if _, err := s.Download(background, args[0].String()+name, store.Options{}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		f = s.Folder(args[0].String())
	}
	raw, err := loader.ReadFile(background, f, "unet/config.json")
	if err != nil {
		return nil, err
	}
	config, err := unet.ParseConfig(raw)
	if err != nil {
		return nil, err
	}
	source, err := f.Open(background, "unet/diffusion_pytorch_model.safetensors")
	if err != nil {
		return nil, err
	}
	out["bytes"] = float64(source.Size())
	weights, err := loader.OpenFolder(f).Network(background, "unet")
	if err != nil {
		return nil, err
	}
	u := unet.New(config)
	piece, ahead, err := b.bestRead(out, source)
	if err != nil {
		return nil, err
	}
	upload := func() error {
		defer nn.Unload(u)
		return nn.Load(background, b.device, u, weights, gpu.WeightF16, nil)
	}
	if err := b.time(out, "load", upload); err != nil {
		return nil, err
	}
	for range args[1].Int() {
		if err := b.time(out, "read", func() error { return readAll(source, piece, ahead) }); err != nil {
			return nil, err
		}
		if err := b.time(out, "copy", func() error { return withoutDispatches(upload) }); err != nil {
			return nil, err
		}
	}
	if args[2].Truthy() {
		err = b.merges(out, config, weights)
	}
	return medians(out), err
}

// bestRead tries how a file is read fastest, and returns the size of the pieces and how many of them are under
// way at a time.
func (b *bench) bestRead(out map[string]any, source loader.Source) (piece int64, ahead int, err error) {
	best := math.Inf(1)
	for range 2 { // the first round may find the file on the disk, the second one finds it in memory
		for _, try := range [][2]int64{{32, 1}, {24, 2}, {24, 4}, {16, 4}, {8, 4}, {8, 8}, {4, 8}} {
			began := time.Now()
			if err := readAll(source, try[0]<<20, int(try[1])); err != nil {
				return 0, 0, err
			}
			if took := time.Since(began).Seconds(); took < best {
				best, piece, ahead = took, try[0]<<20, int(try[1])
			}
		}
	}
	out["readPiece"], out["readAhead"] = float64(piece), ahead
	return piece, ahead, nil
}

// readAll reads a file piece by piece, with so many pieces under way, and drops what it reads.
func readAll(source loader.Source, piece int64, ahead int) error {
	errs := make(chan error, ahead)
	var next atomic.Int64
	for range ahead {
		go func() {
			for {
				at := next.Add(piece) - piece
				if at >= source.Size() {
					errs <- nil
					return
				}
				b, err := source.ReadRange(background, at, min(piece, source.Size()-at))
				if err != nil {
					errs <- err
					return
				}
				// Go's garbage collector would keep the bytes for a long time.
				js.Global().Get("structuredClone").Invoke(b.Get("buffer"), map[string]any{"transfer": []any{b.Get("buffer")}})
			}
		}()
	}
	var all []error
	for range ahead {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

// withoutDispatches runs work while compute passes dispatch nothing.
func withoutDispatches(work func() error) error {
	pass := js.Global().Get("GPUComputePassEncoder").Get("prototype")
	dispatch := pass.Get("dispatchWorkgroups")
	pass.Set("dispatchWorkgroups", js.Global().Get("impromptGPU").Get("ignore"))
	defer pass.Set("dispatchWorkgroups", dispatch)
	return work()
}

// medians replaces lists by their medians.
func medians(out map[string]any) map[string]any {
	for name, v := range out {
		if list, ok := v.([]float64); ok {
			slices.Sort(list)
			out[name] = list[len(list)/2]
		}
	}
	return out
}

// lora {layout} is the part of load that needs no file: Stable Diffusion 1.5's UNet with random
// weights. layout is that of card.
func (b *bench) lora(args []js.Value) (any, error) {
	var layout map[string]json.RawMessage
	if err := json.Unmarshal([]byte(args[0].Get("layout").String()), &layout); err != nil {
		return nil, err
	}
	config, err := unet.ParseConfig(layout["sd15/unet/config.json"])
	if err != nil {
		return nil, err
	}
	var file struct{ Shapes map[string][]int }
	if err := json.Unmarshal(layout["sd15/unet/diffusion_pytorch_model.fp16.safetensors"], &file); err != nil {
		return nil, err
	}
	out := map[string]any{}
	weights := &random{shapes: file.Shapes}
	u := unet.New(config)
	for _, name := range []string{"first", "load"} { // the first one includes compiling the kernels that repack
		err := b.time(out, name, func() error { return nn.Load(background, b.device, u, weights, gpu.WeightF16, nil) })
		nn.Unload(u)
		if err != nil {
			return nil, err
		}
	}
	err = b.merges(out, config, weights)
	return medians(out), err
}

// merges measures merging LoRAs into a UNet.
func (b *bench) merges(out map[string]any, config unet.Config, weights nn.Checkpoint) error {
	// The first one includes compiling the kernels that merge.
	for _, m := range []struct{ name, part string }{{"firstMerge", ".attentions."}, {"attentions", ".attentions."}, {"all", "."}} {
		if err := b.merge(out, m.name, unet.New(config), weights, m.part); err != nil {
			return err
		}
	}
	return nil
}

// merge measures how long it takes to merge a LoRA of rank 64 into those layers of a UNet on the
// GPU whose names hold a text.
func (b *bench) merge(out map[string]any, name string, u *unet.UNet, weights nn.Checkpoint, part string) error {
	m := &nn.Memory{Device: b.device, Budget: 1 << 40}
	defer m.Release()
	if err := m.Add(u, weights, gpu.WeightF16); err != nil {
		return err
	}
	if err := m.Need(background, u); err != nil {
		return err
	}
	m.Change(u, rank64(u, part))
	return b.time(out, name, func() error { return m.Need(background, u) })
}

// time adds to out how long work takes until the GPU has finished it, in nameSeconds, and the
// processor time that it takes, of which other programs take nothing: nameCPU in Node, and in a
// browser one for each thread, whose name follows.
func (b *bench) time(out map[string]any, name string, work func() error) error {
	add := func(name string, v float64) {
		list, _ := out[name].([]float64)
		out[name] = append(list, v)
	}
	before := processorTime()
	began := time.Now()
	err := work()
	if err == nil {
		_, err = webapi.Await(context.WithoutCancel(background), b.device.JS().Get("queue").Call("onSubmittedWorkDone"))
	}
	add(name+"Seconds", time.Since(began).Seconds())
	for thread, cpu := range processorTime() {
		add(name+"CPU"+thread, cpu-before[thread])
	}
	return err
}

// rank64 makes a LoRA of F16 numbers for the matrices and kernels whose names hold a text.
func rank64(u *unet.UNet, part string) nn.Changes {
	const rank = 64
	bytes := js.Global().Get("Uint8Array").New(2 * rank * 64 << 10)
	bytes.Call("fill", 0x11)
	changes := nn.Changes{}
	for name, shape := range nn.Shapes(u) {
		if len(shape) < 2 || !strings.Contains(name, part) {
			continue
		}
		matrix := func(shape ...int) *gpu.Parameter {
			return &gpu.Parameter{Name: name, DType: "F16", Shape: shape, Read: func(_ context.Context, off, n int64) (webapi.Bytes, error) {
				return bytes.Call("subarray", off, off+n), nil
			}}
		}
		columns := 1
		for _, n := range shape[1:] {
			columns *= n
		}
		changes[name] = []gpu.Change{{Name: "rank 64", Scale: 0.5, Strength: 1, Factors: []gpu.Factor{{Up: matrix(shape[0], rank), Down: matrix(rank, columns)}}}}
	}
	return changes
}

// processorTime is how many seconds of a processor have been used: in Node by this process, under "", and in a
// browser by each of its threads.
func processorTime() map[string]float64 {
	used := map[string]float64{}
	v, err := webapi.Await(background, js.Global().Get("Promise").Call("resolve", js.Global().Get("impromptBenchCPU").Invoke()))
	if err != nil {
		return used
	}
	names := js.Global().Get("Object").Call("keys", v)
	for i := range names.Length() {
		name := names.Index(i).String()
		used[name] = v.Get(name).Float()
	}
	return used
}
