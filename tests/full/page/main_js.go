//go:build js && wasm

// Page brings a full-size model into a browser tab's store and to its GPU, for
// tests/full: every function of globalThis.full returns a promise.
package main

import (
	"context"
	"runtime"
	"syscall/js"
	"time"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
	"github.com/imprompt/imprompt/model/clip"
	"github.com/imprompt/imprompt/model/guides/ipadapter"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
	"github.com/imprompt/imprompt/model/vae"
	"github.com/imprompt/imprompt/tests/promise"
)

// loaded is a network's way to the GPU.
type loaded struct {
	Network string
	Bytes   int64 // on the GPU
	Seconds float64
}

func main() {
	ctx := context.Background()
	s, err := store.Open(ctx, nil)
	if err != nil {
		panic(err)
	}
	api := js.Global().Get("Object").New()
	api.Set("download", promise.Func(func(args []js.Value) (any, error) {
		return promise.JSON(s.Download(ctx, args[0].String(), store.Options{}))
	}))
	api.Set("heap", promise.Func(func([]js.Value) (any, error) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return promise.JSON(m.HeapSys, nil)
	}))
	api.Set("load", promise.Func(func(args []js.Value) (any, error) { return promise.JSON(load(ctx, s, args[0].String())) }))
	js.Global().Set("full", api)
	select {}
}

// load brings every network of the stored model, encoder and adapter to the GPU, one
// after the other as a run needs them, within the budget of the low-memory mode.
func load(ctx context.Context, s *store.Store, base string) (any, error) {
	d, err := gpu.Open(ctx, gpu.Options{})
	if err != nil {
		return nil, err
	}
	defer d.Close()
	m := &nn.Memory{Device: d, Budget: nn.LowBudget}
	sd := s.Folder(base + "/sd15")
	vision := s.Folder(base + "/ip-adapter/image_encoder")
	var configs [4][]byte
	for i, c := range []struct {
		folder loader.Folder
		name   string
	}{{sd, "unet/config.json"}, {sd, "vae/config.json"}, {sd, "text_encoder/config.json"}, {vision, "config.json"}} {
		if configs[i], err = loader.ReadFile(ctx, c.folder, c.name); err != nil {
			return nil, err
		}
	}
	unetConfig, err := unet.ParseConfig(configs[0])
	if err != nil {
		return nil, err
	}
	vaeConfig, err := vae.ParseConfig(configs[1])
	if err != nil {
		return nil, err
	}
	textConfig, err := clip.ParseTextConfig(configs[2])
	if err != nil {
		return nil, err
	}
	visionConfig, err := clip.ParseVisionConfig(configs[3])
	if err != nil {
		return nil, err
	}
	u, v := unet.New(unetConfig), vae.New(vaeConfig)
	networks := loader.OpenFolder(sd)
	adapter, err := s.Source(ctx, base+"/ip-adapter/ip-adapter_sd15.safetensors")
	if err != nil {
		return nil, err
	}
	adapterWeights, err := loader.OpenFileOfWeights(ctx, adapter)
	if err != nil {
		return nil, err
	}
	ip, err := ipadapter.New(adapterWeights, u)
	if err != nil {
		return nil, err
	}
	list := []struct {
		network nn.Network
		name    string
		open    func() (nn.Checkpoint, error)
	}{
		{clip.NewTextEncoder(textConfig), "text encoder", func() (nn.Checkpoint, error) { return networks.Network(ctx, "text_encoder") }},
		{clip.NewVisionEncoder(visionConfig), "image encoder", func() (nn.Checkpoint, error) { return loader.OpenNetwork(ctx, vision, loader.Here) }},
		{ip, "IP-Adapter", func() (nn.Checkpoint, error) { return adapterWeights, nil }},
		{u, "UNet", func() (nn.Checkpoint, error) { return networks.Network(ctx, "unet") }},
		{v.Decoder, "VAE decoder", func() (nn.Checkpoint, error) { return networks.Network(ctx, "vae") }},
		{v.Encoder, "VAE encoder", func() (nn.Checkpoint, error) { return networks.Network(ctx, "vae") }},
	}
	var all []loaded
	for _, n := range list {
		c, err := n.open()
		if err != nil {
			return nil, err
		}
		if err := m.Add(n.network, c, gpu.WeightF16); err != nil {
			return nil, err
		}
		began := time.Now()
		if err := m.Need(ctx, n.network); err != nil {
			return nil, err
		}
		if err := d.Recover(ctx); err != nil { // the GPU is done
			return nil, err
		}
		all = append(all, loaded{n.name, m.Bytes(n.network), time.Since(began).Seconds()})
	}
	peak := d.PeakMemoryBytes()
	m.Release()
	return map[string]any{"adapter": d.Info.String(), "networks": all, "peak": peak, "left": d.MemoryBytes()}, d.Check()
}
