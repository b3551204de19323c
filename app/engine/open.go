package engine

import (
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model"
	"github.com/imprompt/imprompt/model/scheduler"
	"github.com/imprompt/imprompt/model/tokenizer"
)

type loadedModel struct {
	folder    loader.Folder
	tokenizer *tokenizer.Tokenizer
	pipeline  *model.Pipeline
	memory    *model.Memory
	vision    map[string]*visionModel // by folder
	adapters  map[string]*model.IPAdapter
}

// open reads a model's configurations and the headers of its files.
func (e *Engine) open(ctx context.Context, name string) error {
	if e.loaded != nil && e.name == name {
		return nil
	}
	e.Unload()
	folder, err := e.host.Folder(ctx, name)
	if err != nil {
		return err
	}
	m, err := open(ctx, e.Device, folder)
	if err != nil {
		return fmt.Errorf("model %s: %w", orShipped(name), err)
	}
	e.name, e.loaded = name, m
	return nil
}

func open(ctx context.Context, d *gpu.Device, folder loader.Folder) (*loadedModel, error) {
	read := func(path string) ([]byte, error) {
		b, err := loader.ReadFile(ctx, folder, path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return b, nil
	}
	m := &loadedModel{folder: folder, vision: map[string]*visionModel{}, adapters: map[string]*model.IPAdapter{}}
	var files [4][]byte
	for i, name := range []string{loader.Config(loader.UNet), loader.Config(loader.VAE), loader.Config(loader.TextEncoder), loader.SchedulerConfig} {
		var err error
		if files[i], err = read(name); err != nil {
			return nil, err
		}
	}
	unetConfig, err1 := model.ParseUNetConfig(files[0])
	vaeConfig, err2 := model.ParseVAEConfig(files[1])
	textConfig, err3 := model.ParseCLIPTextConfig(files[2])
	schedulerConfig, err4 := scheduler.ParseConfig(files[3])
	var err5 error
	m.tokenizer, err5 = OpenTokenizer(ctx, folder, loader.Tokenizer)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, err
	}
	p := &model.Pipeline{Device: d, UNet: model.NewUNet(unetConfig), VAE: model.NewVAE(vaeConfig), Text: model.NewTextEncoder(textConfig), Scheduler: schedulerConfig}
	m.pipeline = p

	networks := loader.OpenFolder(folder)
	unet, err := networks.Network(ctx, loader.UNet)
	if err != nil {
		return nil, err
	}
	vae, err := networks.Network(ctx, loader.VAE)
	if err != nil {
		return nil, err
	}
	text, err := networks.Network(ctx, loader.TextEncoder)
	if err != nil {
		return nil, err
	}
	d.Weights = gpu.WeightF16
	if !d.F16 && isSmallF32(unet) {
		d.Weights = gpu.WeightF32
	}
	m.memory = &model.Memory{Device: d, Budget: model.DefaultBudget}
	p.Memory = m.memory
	return m, errors.Join(m.memory.Add(p.Text, text), m.memory.Add(p.UNet, unet),
		m.memory.Add(p.VAE.Decoder, vae), m.memory.Add(p.VAE.Encoder, vae))
}

// OpenTokenizer reads the tokenizer that is at a place in a folder.
func OpenTokenizer(ctx context.Context, folder loader.Folder, at string) (*tokenizer.Tokenizer, error) {
	return tokenizer.Open(func(name string) ([]byte, error) { return loader.ReadFile(ctx, folder, path.Join(at, name)) })
}

func (m *loadedModel) release() {
	m.pipeline.ReleaseEncodings()
	m.memory.Release()
}

// report has progress told of weights on their way to the GPU.
func (m *loadedModel) report(progress func(Event)) {
	m.memory.Progress = func(network string, done, total int64) {
		progress(Event{Stage: "load", Network: network, Done: done, Total: total})
	}
}

// smallModel is how large a checkpoint in F32 may be for its matrices to stay F32
// where there is no shader-f16: below it exactness costs nothing that matters.
const smallModel = 256 << 20

func isSmallF32(c model.Checkpoint) bool {
	var bytes int64
	f32 := false
	for _, name := range c.Names() {
		dtype, shape, _ := c.Info(name)
		n := int64(4)
		for _, s := range shape {
			n *= int64(s)
		}
		bytes += n
		f32 = f32 || dtype == "F32"
	}
	return f32 && bytes <= smallModel
}

func orShipped(name string) string {
	if name == "" {
		return "that ships"
	}
	return name
}
