// Package engine loads models and draws pictures: the one function that the page's
// worker and the command line both call.
package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/scheduler"
	"github.com/imprompt/imprompt/model/tokenizer"
)

// Host finds what Settings name: on the command line in the file system, in the page
// on its own origin or in the browser's store.
type Host interface {
	// Folder is a model in diffusers' layout, or a *loader.Model made of a single file;
	// "" is the one that ships.
	Folder(ctx context.Context, name string) (loader.Folder, error)
	// File is an IP-Adapter's weights; "" is the adapter that ships.
	File(ctx context.Context, name string) (loader.Source, error)
}

// Event tells how a run is getting on.
type Event struct {
	Stage          string // "load", or a model.Stage
	Network        string // that is loading
	Done, Total    int64  // its bytes
	Image, Images  int
	Step, Steps    int
	SecondsPerStep float64
	Fraction       float64 // of the shaders that are ready, while compiling
	Skip           func()  // drops the picture under way; nil but while denoising
	// Preview decodes the picture as it is now, as RGBA; nil but while denoising.
	Preview func(ctx context.Context) ([]uint8, error)
}

// Result is one picture.
type Result struct {
	RGBA          []uint8
	Width, Height int
	Latents       []float32 // [4, h, w]
	LatentShape   [2]int    // h, w
	Settings      settings.Settings
	Index         int // among the run's pictures
}

// Engine holds a GPU and the models that were loaded on it.
type Engine struct {
	Device *gpu.Device
	Warn   func(text string) // told of what is odd but no error; may be nil
	host   Host
	name   string // of the model that is loaded
	loaded *loadedModel
	// What the GPU held when its memory ran out, or 0: from then on it holds less.
	full int64
}

// New returns an engine on a GPU.
func New(d *gpu.Device, host Host) *Engine { return &Engine{Device: d, host: host} }

type loadedModel struct {
	folder    loader.Folder
	tokenizer *tokenizer.Tokenizer
	pipeline  *model.Pipeline
	memory    *model.Memory
	vision    map[string]*visionModel // by folder
	adapters  map[string]*model.IPAdapter
}

type visionModel struct {
	encoder   *model.VisionEncoder
	processor *imageproc.CLIPImageProcessor
}

// Tokens counts the tokens of a prompt for the model that is loaded, and says which
// words are cut off.
func (e *Engine) Tokens(text string) (count, limit int, overflow string, err error) {
	if e.loaded == nil {
		return 0, 0, "", errors.New("no model is loaded yet")
	}
	enc := e.loaded.tokenizer.Encode(text)
	return enc.Count, e.loaded.tokenizer.MaxLength, enc.Overflow, nil
}

// Load opens a model, unless it is open, and brings to the GPU what a picture from words
// needs, if the GPU holds it all. progress is told of the bytes.
func (e *Engine) Load(ctx context.Context, name string, progress func(Event)) error {
	if err := e.open(ctx, name); err != nil {
		return err
	}
	m := e.loaded
	m.report(progress)
	p := m.pipeline
	all := []model.Network{p.Text, p.UNet, p.VAE.Decoder}
	if !m.memory.Fits(0, all...) {
		return nil // each comes when it is needed
	}
	err := m.memory.Need(ctx, all...)
	var full *gpu.OutOfMemoryError
	if errors.As(err, &full) {
		// Drawing may still do, with one network at a time.
		e.full = full.Held
		return e.recover(ctx)
	}
	return err
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

// Unload frees the model's memory.
func (e *Engine) Unload() {
	if e.loaded != nil {
		e.loaded.release()
		e.loaded = nil
	}
}

func orShipped(name string) string {
	if name == "" {
		return "that ships"
	}
	return name
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

func open(ctx context.Context, d *gpu.Device, folder loader.Folder) (*loadedModel, error) {
	read := func(path string) ([]byte, error) {
		b, err := loader.ReadFile(ctx, folder, path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return b, nil
	}
	m := &loadedModel{folder: folder, vision: map[string]*visionModel{}, adapters: map[string]*model.IPAdapter{}}
	var files [6][]byte
	for i, name := range []string{"unet/config.json", "vae/config.json", "text_encoder/config.json", "scheduler/scheduler_config.json", "tokenizer/vocab.json", "tokenizer/merges.txt"} {
		var err error
		if files[i], err = read(name); err != nil {
			return nil, err
		}
	}
	unetConfig, err1 := model.ParseUNetConfig(files[0])
	vaeConfig, err2 := model.ParseVAEConfig(files[1])
	textConfig, err3 := model.ParseCLIPTextConfig(files[2])
	schedulerConfig, err4 := scheduler.ParseConfig(files[3])
	tokenizerConfig, err := loader.ReadFile(ctx, folder, "tokenizer/tokenizer_config.json")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var err5 error
	m.tokenizer, err5 = tokenizer.New(files[4], files[5], tokenizerConfig)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, err
	}
	p := &model.Pipeline{Device: d, UNet: model.NewUNet(unetConfig), VAE: model.NewVAE(vaeConfig), Text: model.NewTextEncoder(textConfig), Scheduler: schedulerConfig}
	m.pipeline = p

	networks, ok := folder.(*loader.Model)
	if !ok {
		networks = loader.OpenFolder(folder)
	}
	unet, err := networks.Network(ctx, "unet")
	if err != nil {
		return nil, err
	}
	vae, err := networks.Network(ctx, "vae")
	if err != nil {
		return nil, err
	}
	text, err := networks.Network(ctx, "text_encoder")
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

// vision opens an image encoder, once.
func (e *Engine) vision(ctx context.Context, name string) (*visionModel, error) {
	m := e.loaded
	if v, ok := m.vision[name]; ok {
		return v, nil
	}
	folder, prefix := m.folder, "image_encoder"
	if name != "" {
		var err error
		if folder, err = e.host.Folder(ctx, name); err != nil {
			return nil, err
		}
		prefix = "."
		if _, err := folder.Open(ctx, "image_encoder/config.json"); err == nil {
			prefix = "image_encoder"
		}
	}
	b, err := loader.ReadFile(ctx, folder, path.Join(prefix, "config.json"))
	if err != nil {
		return nil, fmt.Errorf("the image encoder's config.json: %w", err)
	}
	config, err := model.ParseCLIPVisionConfig(b)
	if err != nil {
		return nil, err
	}
	// Without a preprocessor_config.json diffusers makes one of the encoder's size.
	processor := fmt.Appendf(nil, `{"size":{"shortest_edge":%d},"crop_size":{"height":%d,"width":%d}}`, config.ImageSize, config.ImageSize, config.ImageSize)
	for _, at := range []string{path.Join(prefix, "preprocessor_config.json"), "feature_extractor/preprocessor_config.json"} {
		b, err := loader.ReadFile(ctx, folder, at)
		if err == nil {
			processor = b
			break
		}
		if !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	v := &visionModel{encoder: model.NewVisionEncoder(config)}
	if v.processor, err = imageproc.NewCLIPImageProcessor(processor); err != nil {
		return nil, err
	}
	c, err := loader.OpenNetwork(ctx, folder, prefix, "model")
	if err != nil {
		return nil, err
	}
	if err := m.memory.Add(v.encoder, c); err != nil {
		return nil, err
	}
	m.vision[name] = v
	return v, nil
}

// adapter opens an IP-Adapter, once.
func (e *Engine) adapter(ctx context.Context, name string) (*model.IPAdapter, error) {
	m := e.loaded
	if a, ok := m.adapters[name]; ok {
		return a, nil
	}
	s, err := e.host.File(ctx, name)
	if err != nil {
		return nil, err
	}
	c, err := loader.OpenFileOfWeights(ctx, s)
	if err != nil {
		return nil, err
	}
	a, err := model.NewIPAdapter(c, m.pipeline.UNet)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name(), err)
	}
	if err := m.memory.Add(a, c); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name(), err)
	}
	m.adapters[name] = a
	return a, nil
}

// StepStats are the dispatches, and the calls into JavaScript, of the last run's steps.
func (e *Engine) StepStats() (dispatches, calls int) {
	if e.loaded == nil {
		return 0, 0
	}
	return e.loaded.pipeline.StepDispatches, 1
}
