//go:build js && wasm

package main

import (
	"context"
	"encoding/json"
	"strings"
	"syscall/js"
	"time"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
)

// load FOLDER measures how long a UNet takes from where it is stored to the GPU, where it is
// repacked. It returns {bytes, seconds, readSeconds}, and downloadSeconds if the folder is on
// the network and is first downloaded into IndexedDB. readSeconds is for reading the same
// file piece by piece without using it, which is the best that the storage can do. attentionsSeconds
// and allSeconds are for merging a LoRA of rank 64 into the UNet that is on the GPU: one of the
// transformers' layers, and one of all layers, as LCM-LoRA is. In Node the same with CPU in place
// of Seconds is the processor time, of which other programs take nothing.
func (b *bench) load(args []js.Value) (any, error) {
	out := map[string]any{}
	f := folder(args[0].String())
	if _, ok := f.(loader.Web); ok {
		s, err := store.Open(background, nil)
		if err != nil {
			return nil, err
		}
		began := time.Now()
		for _, name := range []string{"/unet/config.json", "/unet/diffusion_pytorch_model.safetensors"} {
			if _, err := s.Download(background, args[0].String()+name, store.Options{}); err != nil {
				return nil, err
			}
		}
		out["downloadSeconds"] = time.Since(began).Seconds()
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

	began := time.Now()
	const piece = 32 << 20
	for at := int64(0); at < source.Size(); at += piece {
		if _, err := source.ReadRange(background, at, min(piece, source.Size()-at)); err != nil {
			return nil, err
		}
	}
	out["readSeconds"] = time.Since(began).Seconds()

	weights, err := loader.OpenFolder(f).Network(background, "unet")
	if err != nil {
		return nil, err
	}
	return out, b.merges(out, config, weights)
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
	return out, b.merges(out, config, &random{shapes: file.Shapes})
}

// merges measures loading a UNet, and merging LoRAs into it.
func (b *bench) merges(out map[string]any, config unet.Config, weights nn.Checkpoint) error {
	for _, name := range []string{"first", "load"} { // the first one includes compiling the kernels that repack
		u := unet.New(config)
		err := b.time(out, name, func() error { return nn.Load(background, b.device, u, weights, gpu.WeightF16, nil) })
		nn.Unload(u)
		if err != nil {
			return err
		}
	}
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

// time puts into out how long work takes until the GPU has finished it: nameSeconds and, in
// Node, nameCPU.
func (b *bench) time(out map[string]any, name string, work func() error) error {
	began, cpu := time.Now(), processorTime()
	err := work()
	if err == nil {
		_, err = webapi.Await(context.WithoutCancel(background), b.device.JS().Get("queue").Call("onSubmittedWorkDone"))
	}
	out[name+"Seconds"] = time.Since(began).Seconds()
	out[name+"CPU"] = processorTime() - cpu
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

// processorTime is that of this process, in seconds; 0 in a browser, which does not tell.
func processorTime() float64 {
	process := js.Global().Get("process")
	if !process.Truthy() || process.Get("cpuUsage").Type() != js.TypeFunction {
		return 0
	}
	used := process.Call("cpuUsage")
	return (used.Get("user").Float() + used.Get("system").Float()) / 1e6
}
