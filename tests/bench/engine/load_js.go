//go:build js && wasm

package main

import (
	"context"
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
// file piece by piece without using it, which is the best that the storage can do.
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

	for _, name := range []string{"firstSeconds", "seconds"} { // the first one includes compiling the kernels that repack
		weights, err := loader.OpenFolder(f).Network(background, "unet")
		if err != nil {
			return nil, err
		}
		u := unet.New(config)
		began := time.Now()
		err = nn.Load(background, b.device, u, weights, gpu.WeightF16, nil)
		if err == nil {
			_, err = webapi.Await(context.WithoutCancel(background), b.device.JS().Get("queue").Call("onSubmittedWorkDone"))
		}
		out[name] = time.Since(began).Seconds()
		nn.Unload(u)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
