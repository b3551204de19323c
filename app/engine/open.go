package engine

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/pipeline"
	"github.com/imprompt/imprompt/model/tokenizer"
	"github.com/imprompt/imprompt/model/vae"
)

type loadedModel struct {
	folder    loader.Folder
	tokenizer *tokenizer.Tokenizer
	pipeline  *pipeline.Pipeline
	memory    *nn.Memory
	weights   gpu.WeightDType // the type of all matrices on the GPU
	opened    map[string]any  // files that guides have opened, by openOnce's key
	without   error           // says that the model has no VAE of its own; nil for one that has
}

// open reads a model's configurations and the headers of its files. If only the VAE differs from
// what is open, it reads those of the VAE alone.
// otherVAE is the name of a VAE that takes the place of the model's own; "" is none.
func (e *Engine) open(ctx context.Context, name, otherVAE string) error {
	if e.loaded != nil && e.name == name {
		return e.changeVAE(ctx, otherVAE)
	}
	e.Unload()
	folder, err := e.host.Folder(ctx, name)
	var without *loader.WithoutVAEError
	if otherVAE != "" && errors.As(err, &without) {
		folder, err = without.Model, nil
	}
	if err != nil {
		return err
	}
	m, err := e.openFolder(ctx, folder, otherVAE)
	if err != nil {
		return fmt.Errorf("model %s: %w", orShipped(name), err)
	}
	if without != nil {
		m.without = without
	}
	e.name, e.vae, e.loaded = name, otherVAE, m
	e.startKernels(ctx)
	if m.memory.Bytes(m.pipeline.UNet) > largeModel || e.GPUKernels {
		e.tryKernels(ctx, e.Device.Try)
	}
	return ctx.Err()
}

func (e *Engine) openFolder(ctx context.Context, folder loader.Folder, otherVAE string) (*loadedModel, error) {
	if m, ok := folder.(*loader.Model); ok && m.Kind() != loader.KindModel {
		return nil, fmt.Errorf("this is of the kind %q, which does not draw alone: choose a Stable Diffusion 1.5 model beside it", m.Kind().Name())
	}
	d := e.Device
	m := &loadedModel{folder: folder, opened: map[string]any{}}
	networks := loader.OpenFolder(folder)
	vaeWeights, vaeFile, err := e.openVAE(ctx, networks, otherVAE)
	if err != nil {
		return nil, err
	}
	var files [3][]byte
	for i, name := range []string{loader.Config(loader.UNet), loader.Config(loader.TextEncoder), loader.SchedulerConfig} {
		if files[i], err = loader.ReadFile(ctx, folder, name); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	p, err1 := pipeline.New(d, pipeline.Configs{UNet: files[0], VAE: vaeFile, Text: files[1], Scheduler: files[2]})
	var err2 error
	m.tokenizer, err2 = OpenTokenizer(ctx, folder, loader.Tokenizer)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	if rows, tokens := p.Text.Config.VocabSize, m.tokenizer.Size(); rows > tokens {
		e.warn(fmt.Sprintf("The text encoder knows %d tokens and the tokenizer knows %d. Tokens were added to this model, but the tokenizer's files do not name them. Words that stand for them are read as ordinary words.", rows, tokens))
	}
	m.pipeline = p
	if b, err := loader.ReadFile(ctx, folder, vae.LatentRGBFile); err == nil {
		if p.VAE.LatentRGB, err = vae.ParseLatentRGB(b); err != nil {
			return nil, err
		}
	}

	unetWeights, err := networks.Network(ctx, loader.UNet)
	if err != nil {
		return nil, err
	}
	textWeights, err := networks.Network(ctx, loader.TextEncoder)
	if err != nil {
		return nil, err
	}
	if !d.F16 && isSmallF32(unetWeights) {
		m.weights = gpu.WeightF32
	}
	m.memory = &nn.Memory{Device: d, Budget: nn.DefaultBudget, Unused: func(network string, keys []string) { e.warn(unused(network, keys)) }}
	p.Memory = m.memory
	m.memory.Spare = p.Forget
	return m, errors.Join(m.memory.Add(p.Text, textWeights, m.weights), m.memory.Add(p.UNet, unetWeights, m.weights), m.addVAE(p.VAE, vaeWeights))
}

// unused returns a warning about the tensors of a file that are not used.
func unused(network string, keys []string) string {
	text := fmt.Sprintf("The %s's file has a tensor that is not used: %s", network, keys[0])
	if len(keys) > 1 {
		text = fmt.Sprintf("The %s's file has %d tensors that are not used: %s and %d more", network, len(keys), keys[0], len(keys)-1)
	}
	if slices.ContainsFunc(keys, func(k string) bool {
		return strings.Contains(k, ".processor.") || strings.HasPrefix(k, "encoder_hid_proj.")
	}) {
		text += ". The model was saved while an IP-Adapter was in it: add the adapter itself as an image prompt"
	}
	return text + "."
}

// OpenTokenizer reads the tokenizer at a path in a folder.
func OpenTokenizer(ctx context.Context, folder loader.Folder, at string) (*tokenizer.Tokenizer, error) {
	return tokenizer.Open(func(name string) ([]byte, error) { return loader.ReadFile(ctx, folder, path.Join(at, name)) })
}

func (m *loadedModel) release() {
	m.pipeline.Forget()
	m.pipeline.Encodings.Release()
	m.memory.Release()
}

// report tells progress about weights that are loaded onto the GPU.
func (m *loadedModel) report(progress func(Event)) {
	m.memory.Progress = func(network string, done, total int64) {
		progress(Event{Stage: "load", Network: network, Done: done, Total: total})
	}
}

// smallModel is the size up to which the matrices of an F32 checkpoint stay F32 if there is
// no shader-f16. For models this small, exactness costs little.
const smallModel = 256 << 20

func isSmallF32(c nn.Checkpoint) bool {
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

// openOnce returns what open returned for a key, and calls it only the first time.
func openOnce[T any](m *loadedModel, key string, open func() (T, error)) (T, error) {
	if v, ok := m.opened[key]; ok {
		return v.(T), nil
	}
	v, err := open()
	if err == nil {
		m.opened[key] = v
	}
	return v, err
}

func orShipped(name string) string {
	if name == "" {
		return "that ships"
	}
	return name
}
