package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/clip"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/random"
	"github.com/imprompt/imprompt/model/scheduler"
	"github.com/imprompt/imprompt/model/unet"
	"github.com/imprompt/imprompt/model/vae"
)

// Pipeline is Stable Diffusion on a GPU: text to image, image to image and inpainting, as
// diffusers' three pipelines of those names run them.
type Pipeline struct {
	Device    *gpu.Device
	UNet      *unet.UNet
	VAE       *vae.VAE
	Text      *clip.TextEncoder
	Scheduler scheduler.Config

	// Memory loads networks when they are needed. It is nil where all are loaded already.
	Memory *nn.Memory
	// Preview is a tiny autoencoder that draws previews, or nil. It is not used where the GPU does not
	// hold it beside what the steps need.
	Preview *vae.VAE
	// LowMemory computes the two branches of guidance one after the other.
	LowMemory bool
	// StepDispatches is how many dispatches a step of the last run had, and StepCalls how many
	// calls into JavaScript it made, where they are counted (see gpu.Program.Calls).
	StepDispatches, StepCalls int
	// Encodings are kept from one run to the next, until the owner releases them.
	Encodings guides.Encodings

	precompiled bool // Precompile was called
	kept        *run // the last one, whose programs the next one may go on with
}

// Configs are the files that describe a model, each of which is JSON.
type Configs struct {
	UNet, VAE, Text []byte // config.json of unet, vae and text_encoder
	Scheduler       []byte // scheduler_config.json
}

// New lays a model's networks out, without their weights. Its error names everything in the
// files that is not supported.
func New(d *gpu.Device, c Configs) (*Pipeline, error) {
	u, err1 := unet.ParseConfig(c.UNet)
	v, err2 := vae.ParseConfig(c.VAE)
	text, err3 := clip.ParseTextConfig(c.Text)
	s, err4 := scheduler.ParseConfig(c.Scheduler)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	return &Pipeline{Device: d, UNet: unet.New(u), VAE: vae.New(v), Text: clip.NewTextEncoder(text), Scheduler: s}, nil
}

// Request is one run. Pictures are prepared: normalised and of the size in which they are
// needed (package imageproc).
type Request struct {
	IDs, NegativeIDs []int32 // token ids of the prompt and of the negative prompt, padded
	Text             Text    // how they are read
	Guides           []guides.Guide
	Height, Width    int // in pixels
	Scheduler        string
	Steps            int
	Eta              float64 // scheduler.Options.Eta
	GuidanceScale    float64
	// GuidanceStart and GuidanceStop are the fractions of the steps between which guidance works, as in
	// diffusers' ClassifierFreeGuidance. The other steps compute the prompt's branch alone. A stop of 0
	// means 1.
	GuidanceStart, GuidanceStop float64
	// CacheInterval is DeepCache's: one in so many steps computes the whole UNet (unet.FullSteps). 0 means 1.
	CacheInterval int
	// TomeRatio is the share of the tokens that token merging (ToMe) merges in the self-attentions at the latents' size.
	TomeRatio float64
	NumImages int
	// Seed is of the one generator that draws the numbers of all pictures. With Sources each
	// picture has a generator of its own, as diffusers takes a list of them.
	Seed    uint64
	Sources []random.Source
	// Variation turns the noise that each picture begins from towards another's, by VariationStrength from 0 (not at all) to 1
	// (it is the other's): random.Slerp. It has a source for each picture, or is nil. With it, the pictures need Sources.
	Variation         []random.Source
	VariationStrength float64

	// Init is the picture that an image-to-image run starts from, [H, W, 3] in -1..1. It
	// is nil for a run from noise.
	Init     []float32
	Strength float64
	// InitLatents are what each picture of an image-to-image run starts from in place of Init, [4, h, w],
	// as Result.Latents has them. Nothing is drawn for them, as in diffusers where image has latents.
	InitLatents [][]float32
	// LatentsOnly leaves the decoder out (diffusers' output_type="latent").
	LatentsOnly bool
	// VAETiling has the VAE encode and decode in tiles (diffusers' enable_vae_tiling). Without it, that is
	// done only where the GPU does not hold the decoder for the whole picture.
	VAETiling bool
	// Mask, [H, W] of 0 and 1 where 1 is repainted, makes the run an inpainting.
	Mask        []float32
	MaskedImage []float32 // Init with the repainted pixels grey (0)
	LatentMask  []float32 // Mask at the latents' size
}

// Text says how a request's token ids are read. The zero value reads them as diffusers'
// pipelines read a prompt of one chunk.
type Text struct {
	// Chunk is how many tokens the text encoder reads at a time; 0 means all of them. The ids of
	// both prompts are as many chunks.
	Chunk int
	// Weights and NegativeWeights multiply the hidden states of each token, which are then scaled
	// so that their mean stays what it was (get_weighted_text_embeddings of diffusers'
	// lpw_stable_diffusion.py). nil means 1.
	Weights, NegativeWeights []float32
	// ClipSkip and NegativeClipSkip are clip.TextOptions.ClipSkip of each prompt. diffusers' own
	// pipelines leave layers out for the prompt alone.
	ClipSkip, NegativeClipSkip int
	// Vectors are clip.TextOptions.Vectors.
	Vectors [][]float32
}

// Stage is what a run is doing.
type Stage string

const (
	StageEncode  Stage = "encode"  // words, and what guides prepare
	StageCompile Stage = "compile" // shaders
	StageDenoise Stage = "denoise"
	StageDecode  Stage = "decode"
)

// Progress says how far a run has come.
type Progress struct {
	Stage         Stage
	Image, Images int // counted from 0
	Step, Steps   int // the steps that are done, of all
	Seconds       float64
	Fraction      float64 // 0 to 1: of the shaders that are ready, while compiling, or of the tiles that are decoded
	// Skip drops the picture that is being drawn, and Run goes on with the next one. It is
	// nil except while denoising and decoding.
	Skip func()
	// Preview returns roughly the picture that the model expects at this step: what
	// Pipeline.Preview makes of it or, without one, one colour for each latent (vae.LatentRGB).
	// It waits for the GPU, and the steps go on meanwhile if it runs beside them. It is nil except
	// while denoising.
	Preview func(ctx context.Context) (Preview, error)
}

// Preview is a picture in the making.
type Preview struct {
	Pixels        []float32 // [H, W, 3], about -1..1
	Height, Width int
}

// Result is one picture.
type Result struct {
	Pixels  []float32 // [H, W, 3] about -1..1; nil for a request of LatentsOnly
	Latents []float32 // [4, h, w]
	Height  int
	Width   int
	Index   int // among the run's pictures
	// Saturated is the name of the first network whose activations exceeded the range of
	// float16 and were cut off, so that the picture is wrong. It is "" if all of them fitted.
	Saturated string
	// Tiled says that the VAE worked in tiles, so that the picture differs a little from one that was decoded whole.
	Tiled bool
}

// errSkip is the cause with which Progress.Skip cancels a picture.
var errSkip = errors.New("skipped")

// Run draws req.NumImages pictures and hands each to done when it is finished.
func (p *Pipeline) Run(ctx context.Context, req *Request, progress func(Progress), done func(Result) error) (err error) {
	r := &run{Pipeline: p, req: req, progress: progress, factor: p.VAE.Config.Factor()}
	r.programs = &programs{run: r}
	if err := r.check(); err != nil {
		return err
	}
	if r.schedule, err = scheduler.New(req.Scheduler, p.Scheduler, req.Steps, scheduler.Options{Strength: r.strength(), Eta: req.Eta}); err != nil {
		return err
	}
	r.branch()
	defer func() { r.keep(err == nil) }()
	if r.Memory != nil {
		r.Memory.Programs = r.programBytes()
	}
	if r.takeOver() {
		if err := r.draw(ctx); err != nil {
			return err
		}
	} else {
		r.saturation = r.newSaturation()
		progress(Progress{Stage: StageEncode, Images: req.NumImages, Steps: len(r.schedule.Steps)})
		if err := r.prepareAll(ctx); err != nil {
			return err
		}
	}
	for i := range req.NumImages {
		one, cancel := context.WithCancelCause(ctx)
		result, err := r.image(one, i, func() { cancel(errSkip) })
		skipped := errors.Is(context.Cause(one), errSkip)
		cancel(nil)
		if skipped { // perhaps when the last of the decoder was on its way, so that there is no error
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

// programBytes is about what a step and the decoder take, beside their weights, and what the decoder's
// weights take, which are often loaded last. With shader-f16, those of Stable Diffusion 1.5 take 65 and
// 280 MiB at 512 × 512, and about twice that without.
func (r *run) programBytes() int64 {
	each := int64(100 << 10) // for a pixel of the latents
	if !r.Device.F16 {
		each *= 2
	}
	return each*int64(r.h*r.w) + r.Memory.Bytes(r.VAE.Decoder)
}

// run is the state of one Run.
type run struct {
	*Pipeline
	req      *Request
	progress func(Progress)
	factor   int
	schedule *scheduler.Schedule

	h, w      int // of the latents
	batch     int // 2 with classifier-free guidance
	branches  []*guides.Branch
	guided    []bool        // by step, where guidance works in some steps only; nil where it works in all of them
	words     *gpu.Tensor   // the text encoder's hidden states, [B, T, D]
	initial   [][]float32   // by image: the first sample, [h·w, 4]
	noises    [][][]float32 // by step that draws, and by image
	noised    guides.Noised // the guide that reads a noisy picture; nil for none
	reference [][][]float32 // by image and step: that picture, [h·w, 4]
	// For each image, or one for all of them: the mask and the initial latents of an
	// inpainting, whose noise is in noise0; channels 5 to 9 of a 9-channel UNet, the mask and
	// the masked latents, [h·w, 5].
	inpaint, extra [][]float32
	noise0         [][]float32 // by image
	momentsOf      map[*float32][]float32
	programs       *programs
	saturation     *saturation
	tiled          bool // the VAE works in tiles
	releases       []func()
	over           bool   // and released
	preparedAs     string // key, when it had prepared everything
}

func (r *run) later(f func()) { r.releases = append(r.releases, f) }

func (r *run) release() {
	r.over = true
	for i := len(r.releases) - 1; i >= 0; i-- {
		r.releases[i]()
	}
}

// strength is the fraction of the steps that is run: all of them without a picture.
func (r *run) strength() float64 {
	if r.kind() == scheduler.TextToImage {
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
	if q.InitLatents != nil && (len(q.InitLatents) != q.NumImages || q.Init != nil) {
		return fmt.Errorf("%d latents to start from for %d pictures: give them for each picture, and no start picture", len(q.InitLatents), q.NumImages)
	}
	if q.Sources != nil && len(q.Sources) != q.NumImages {
		return fmt.Errorf("%d sources of random numbers for %d pictures: give one for each", len(q.Sources), q.NumImages)
	}
	if q.Variation != nil && (q.Sources == nil || len(q.Variation) != q.NumImages) {
		return fmt.Errorf("a variation with %d sources of random numbers for %d pictures: give one for each, beside the pictures' own", len(q.Variation), q.NumImages)
	}
	if r.kind() != scheduler.TextToImage && int(float64(q.Steps)*q.Strength) < 1 {
		return fmt.Errorf("%d steps at strength %g leave none to run: raise one of the two", q.Steps, q.Strength)
	}
	if r.VAE.Decoder == nil {
		return errors.New("this autoencoder's file has the encoder alone: take the file or the folder with the decoder")
	}
	if r.VAE.Encoder == nil && (q.Init != nil || slices.ContainsFunc(q.Guides, reads)) {
		return errors.New("this autoencoder's file has the decoder alone, and the encoder is needed for a start picture or a reference picture: take the folder or the file that has both (of TAESD, diffusion_pytorch_model.safetensors)")
	}
	if r.UNet.Config.InChannels == 9 && q.Mask == nil {
		return fmt.Errorf("this model is made for inpainting (its UNet has 9 input channels): give it a start picture and a mask")
	}
	r.h, r.w = q.Height/r.factor, q.Width/r.factor
	return nil
}

// branch decides what the UNet computes at once.
func (r *run) branch() {
	r.batch = 1
	// A distilled LCM takes the guidance as an embedding and runs one branch.
	if r.req.GuidanceScale > 1 && r.UNet.Config.TimeCondProjDim == 0 {
		r.guided = guided(r.req.GuidanceStart, cmp.Or(r.req.GuidanceStop, 1), len(r.schedule.Steps))
		if slices.Contains(r.guided, true) {
			r.batch = 2
		}
	}
	if !slices.Contains(r.guided, false) || r.batch == 1 {
		r.guided = nil
	}
	negative, positive := &guides.Branch{First: 0, Count: 1}, &guides.Branch{First: 1, Count: 1}
	switch {
	case r.batch == 1:
		r.branches = []*guides.Branch{negative}
	case r.LowMemory || slices.ContainsFunc(r.req.Guides, separate):
		r.branches = []*guides.Branch{negative, positive}
	case r.guided != nil:
		r.branches = []*guides.Branch{{Count: 2}, positive}
	default:
		r.branches = []*guides.Branch{{Count: 2}}
	}
	if r.req.CacheInterval > 1 {
		for _, b := range r.branches {
			b.Full = unet.FullSteps(r.req.CacheInterval, len(r.schedule.Steps), r.active(b))
		}
	}
}

// guided says in which of the steps guidance works (ClassifierFreeGuidance._is_cfg_enabled of diffusers'
// guiders/classifier_free_guidance.py).
func guided(start, stop float64, steps int) []bool {
	list := make([]bool, steps)
	for i := range list {
		list[i] = i >= int(start*float64(steps)) && i < int(stop*float64(steps))
	}
	return list
}
