package model

import (
	"context"
	"errors"
	"fmt"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/scheduler"
)

// Pipeline is Stable Diffusion with its weights on a GPU: text to image, image to
// image and inpainting, as diffusers' three pipelines of those names run them.
type Pipeline struct {
	Device    *gpu.Device
	UNet      *UNet
	VAE       *VAE
	Text      *TextEncoder
	Scheduler scheduler.Config

	// Memory brings networks to the GPU when they are needed; nil where all are loaded.
	Memory *Memory
	// LowMemory runs the two branches of guidance one after the other.
	LowMemory bool
	// StepDispatches is how many dispatches a step of the last run had.
	StepDispatches int

	encoded encodings
}

// Request is one run. Pictures are prepared: normalised and of the size they are
// needed in (package imageproc).
type Request struct {
	IDs, NegativeIDs []int32 // token ids of the prompt and of the negative one, padded
	Images           []ImagePrompt
	Height, Width    int // pixels
	Scheduler        string
	Steps            int
	GuidanceScale    float64
	Seed             uint64
	NumImages        int

	// Init is the picture that an image-to-image run starts from, [H, W, 3] in -1..1;
	// nil for a run from noise.
	Init     []float32
	Strength float64
	// Mask, [H, W] of 0 and 1 where 1 is repainted, makes it inpainting.
	Mask        []float32
	MaskedImage []float32 // Init with the repainted pixels grey (0)
	LatentMask  []float32 // Mask at the latents' size
}

// ImagePrompt is what one adapter is given.
type ImagePrompt struct {
	Adapter *IPAdapter
	Vision  *VisionEncoder
	Pixels  [][]float32 // each [S, S, 3], normalised for the vision encoder
	Scales  []float64   // λ by cross-attention (UNet.LayerScales)
	// Start and End are fractions of the steps between which λ holds.
	Start, End float64
	// Mask gives the part of the picture that the prompt works on, by the number of
	// queries of an attention; nil for all of it.
	Mask func(queries int) []float32
}

// Stage is what a run is at.
type Stage string

const (
	StageEncode  Stage = "encode"  // words and pictures
	StageCompile Stage = "compile" // shaders
	StageDenoise Stage = "denoise"
	StageDecode  Stage = "decode"
)

// Progress is told of a run.
type Progress struct {
	Stage         Stage
	Image, Images int // counted from 0
	Step, Steps   int // done
	Seconds       float64
	Fraction      float64 // of the shaders that are ready, 0 to 1, while compiling
	// Skip drops the picture under way, and Run goes on with the next; nil but while denoising.
	Skip func()
	// Preview decodes the picture as it is now, [H, W, 3] about -1..1; nil but while
	// denoising, and where the decoder does not fit the GPU beside the UNet.
	Preview func(ctx context.Context) ([]float32, error)
}

// Result is one picture.
type Result struct {
	Pixels  []float32 // [H, W, 3] about -1..1
	Latents []float32 // [4, h, w]
	Height  int
	Width   int
}

// errSkip is the cause of a picture's end when Progress.Skip was called.
var errSkip = errors.New("skipped")

// Run draws req.NumImages pictures and gives each to done as it is finished.
func (p *Pipeline) Run(ctx context.Context, req *Request, progress func(Progress), done func(Result) error) error {
	r := &run{Pipeline: p, req: req, progress: progress, factor: p.VAE.Config.Factor()}
	defer r.release()
	if err := r.check(); err != nil {
		return err
	}
	var err error
	if r.schedule, err = scheduler.New(req.Scheduler, p.Scheduler, req.Steps, scheduler.Options{Strength: r.strength()}); err != nil {
		return err
	}
	progress(Progress{Stage: StageEncode, Images: req.NumImages, Steps: len(r.schedule.Steps)})
	// The encoders run first, each by itself: the UNet, the largest, comes when they may leave.
	if err := r.encode(ctx); err != nil {
		return err
	}
	if err := r.draw(ctx); err != nil {
		return err
	}
	if err := r.condition(ctx); err != nil {
		return err
	}
	progress(Progress{Stage: StageCompile, Images: req.NumImages, Steps: len(r.schedule.Steps)})
	if err := r.build(ctx); err != nil {
		return err
	}
	for i := range req.NumImages {
		one, cancel := context.WithCancelCause(ctx)
		result, err := r.image(one, i, func() { cancel(errSkip) })
		skipped := errors.Is(context.Cause(one), errSkip)
		cancel(nil)
		if err != nil && skipped {
			continue
		}
		if err != nil {
			return err
		}
		if err := done(result); err != nil {
			return err
		}
	}
	return nil
}

// run is the state of one Run.
type run struct {
	*Pipeline
	req      *Request
	progress func(Progress)
	factor   int
	schedule *scheduler.Schedule

	h, w     int         // latents
	batch    int         // 2 with classifier-free guidance
	split    bool        // whether the two run one after the other
	apart    bool        // whether UNet and decoder do not fit the GPU together
	text     *gpu.Tensor // the words' hidden states, [B, T, D]
	images   []imageTokens
	conds    []*conditioning // one, or with split one a branch
	initial  [][]float32     // by image: the first sample, [h·w, 4]
	noises   [][][]float32   // by step that draws and image
	inpaint  []float32       // mask, initial latents, their noise; by image, the noise differs
	noise0   [][]float32
	extra    []float32 // channels 5 to 9 of a 9-channel UNet: mask, masked latents; [h·w, 5]
	sampler  *gpu.Sampler
	start    *gpu.Program
	step     *gpu.Program
	decode   *gpu.Program
	decoded  *gpu.Tensor
	latents  *gpu.Tensor // what the decoder reads
	releases []func()
}

func (r *run) later(f func()) { r.releases = append(r.releases, f) }

func (r *run) release() {
	for i := len(r.releases) - 1; i >= 0; i-- {
		r.releases[i]()
	}
}

// strength is the part of the steps that is run; all of them without a picture.
func (r *run) strength() float64 {
	if r.req.Init == nil {
		return 1
	}
	return r.req.Strength
}

func (r *run) check() error {
	q := r.req
	if q.Height < r.factor || q.Width < r.factor || q.Height%r.factor != 0 || q.Width%r.factor != 0 {
		return fmt.Errorf("a picture of %d × %d: both sides have to be multiples of %d", q.Width, q.Height, r.factor)
	}
	if q.NumImages < 1 {
		return fmt.Errorf("%d pictures: ask for at least one", q.NumImages)
	}
	if r.UNet.Config.InChannels == 9 && q.Mask == nil {
		return fmt.Errorf("this model is made for inpainting (its UNet has 9 input channels): give it a start picture and a mask")
	}
	for i, im := range q.Images {
		if !im.Adapter.Simple() {
			continue
		}
		if err := checkSimple(im); err != nil {
			return fmt.Errorf("image prompt %d: %w", i+1, err)
		}
	}
	r.h, r.w = q.Height/r.factor, q.Width/r.factor
	r.batch = 1
	// A distilled LCM takes the guidance as an embedding and runs one branch.
	if q.GuidanceScale > 1 && r.UNet.Config.TimeCondProjDim == 0 {
		r.batch = 2
	}
	r.split = r.batch == 2 && r.LowMemory
	return nil
}
