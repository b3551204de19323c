package engine

import (
	"context"
	"errors"

	"github.com/imprompt/imprompt/app/forecast"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/nn"
)

// Host finds the files that Settings name. On the command line they are in the file
// system. In the page they are on its own origin or in the browser's store.
type Host interface {
	// Folder opens a model in diffusers' layout, or a single file as a *loader.Model. "" is
	// the model that ships.
	Folder(ctx context.Context, name string) (loader.Folder, error)
	// File opens one file of weights: an IP-Adapter, a LoRA, a VAE or a textual inversion. "" is
	// the IP-Adapter that ships.
	File(ctx context.Context, name string) (loader.Source, error)
}

// Event reports the progress of a run.
type Event struct {
	Stage          string // "load", or a pipeline.Stage
	Network        string // the network that is loading
	Done, Total    int64  // bytes of that network
	Image, Images  int
	Step, Steps    int
	SecondsPerStep float64
	Fraction       float64 // of the shaders that are ready, while compiling, or of the tiles that are decoded
	// Of pictures that need several passes. With a second pass, all pictures are drawn in the first one before any is drawn in
	// the second; the tiles of a picture are passes, too. Before and After are what was done and is to be done for all pictures
	// besides this one's pass, in its steps. LatentsOnly says that the pass ends without decoding. Passes is 0 for a single one.
	Pass, Passes  int // Pass is counted from 0
	Before, After float64
	LatentsOnly   bool
	Skip          func() // drops the picture in progress; nil except while denoising and decoding
	// Preview returns roughly what the model expects at this step: a small picture, one pixel
	// for each latent, or one of full size where a tiny autoencoder draws it or a part of the start
	// picture is kept. It may run beside the steps. It is nil except while denoising.
	Preview func(ctx context.Context) (*imageproc.Image, error)
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
	Warn   func(text string) // is told of oddities that are not errors; may be nil
	// ToPNG turns a picture that package imageproc does not read into a PNG, if there is a
	// browser that can. It may be nil.
	ToPNG func(ctx context.Context, file []byte) ([]byte, error)
	// MadeMap is told of each map that a preprocessor made, with the number of its guide, counted from 1, and, for a map of
	// Uni-ControlNet, its name in settings.UniMaps. It may be nil.
	MadeMap func(guide int, part string, m *imageproc.Image)
	// Memo remembers which kernels are fastest on a GPU. Without one nothing is measured.
	Memo Memo
	// GPUKernels has a processor that emulates a GPU run what a GPU runs: its kernels, which are measured and chosen
	// as on a GPU.
	GPUKernels bool
	host       Host
	name       string // of the model that is loaded
	vae        string // of the VAE that is used in place of the model's own, or ""
	loaded     *loadedModel
	maps       []madeMap // the last maps that networks made
	// How much the GPU held when its memory ran out, or 0. From then on it holds less.
	full int64

	card   forecast.Card
	chosen bool       // whether the GPU's kernels are chosen by measuring
	trials gpu.Trials // what was measured
}

// New returns an engine on a GPU.
func New(d *gpu.Device, host Host) *Engine { return &Engine{Device: d, host: host} }

// Load opens a model, unless it is open, and loads the networks for a picture from words
// onto the GPU if they all fit. otherVAE takes the place of the model's own; "" is none. progress
// is told of the bytes.
func (e *Engine) Load(ctx context.Context, name, otherVAE string, progress func(Event)) error {
	if err := e.open(ctx, name, otherVAE); err != nil {
		return err
	}
	m := e.loaded
	m.report(progress)
	p := m.pipeline
	all := []nn.Network{p.Text, p.UNet, p.VAE.Decoder}
	if !m.memory.Fits(0, all...) {
		return nil // each network is loaded when it is needed
	}
	p.Precompile(ctx)
	err := m.memory.Need(ctx, all...)
	var full *gpu.OutOfMemoryError
	if errors.As(err, &full) {
		// Drawing may still work, with one network at a time.
		e.full = full.Held
		return e.recover(ctx)
	}
	return err
}

// Unload frees the model's memory.
func (e *Engine) Unload() {
	if e.loaded != nil {
		e.loaded.release()
		e.loaded = nil
	}
}

// StepStats returns the number of dispatches per step in the last run, and the number of
// calls into JavaScript per step where they are counted (in Node).
func (e *Engine) StepStats() (dispatches, calls int) {
	if e.loaded == nil {
		return 0, 0
	}
	return e.loaded.pipeline.StepDispatches, e.loaded.pipeline.StepCalls
}
