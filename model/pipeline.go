package model

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/random"
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

// encode turns the words and the image prompts into hidden states and tokens.
func (r *run) encode(ctx context.Context) error {
	r.encoded.trim()
	ids := [][]int32{r.req.IDs}
	if r.batch == 2 {
		ids = [][]int32{r.req.NegativeIDs, r.req.IDs}
	}
	var err error
	r.text, err = r.encoded.get(fmt.Sprint("words ", ids), func() (*gpu.Tensor, error) {
		if err := r.Memory.Need(ctx, r.Text); err != nil {
			return nil, err
		}
		return r.Text.Encode(ctx, r.Device, ids)
	})
	if err != nil {
		return err
	}
	for _, im := range r.req.Images {
		list, err := r.encodeImages(ctx, im)
		if err != nil {
			return err
		}
		r.images = append(r.images, list...)
	}
	return nil
}

// condition computes what the steps share: for both branches of guidance at once, or
// for each by itself.
func (r *run) condition(ctx context.Context) error {
	networks := []Network{r.UNet}
	for _, im := range r.images {
		if !slices.Contains(networks, Network(im.prompt.Adapter)) {
			networks = append(networks, im.prompt.Adapter)
		}
	}
	if err := r.Memory.Need(ctx, networks...); err != nil {
		return err
	}
	if !r.split {
		return r.conditionBranch(ctx, r.text, r.images)
	}
	for b := range r.batch {
		text, err := entry(ctx, r.Device, r.text, b)
		if err != nil {
			return err
		}
		r.later(text.Release)
		images := slices.Clone(r.images)
		for i := range images {
			if images[i].tokens, err = entry(ctx, r.Device, images[i].tokens, b); err != nil {
				return err
			}
			r.later(images[i].tokens.Release)
		}
		if err := r.conditionBranch(ctx, text, images); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) conditionBranch(ctx context.Context, text *gpu.Tensor, images []imageTokens) error {
	timesteps := make([]float64, len(r.schedule.Steps))
	for i, s := range r.schedule.Steps {
		timesteps[i] = s.Timestep
	}
	c, err := r.UNet.newConditioning(ctx, r.Device, timesteps, r.req.GuidanceScale-1, text, images)
	if err != nil {
		return err
	}
	r.later(c.release)
	r.conds = append(r.conds, c)
	if own := decoupled(images); len(own) > 0 {
		r.spans(c, own)
	}
	return nil
}

// encodeImages turns the pictures of one adapter into tokens, [B, T, D]. Without a
// mask all pictures share one softmax; with one each has its own, as in diffusers.
func (r *run) encodeImages(ctx context.Context, im ImagePrompt) ([]imageTokens, error) {
	groups := [][][]float32{im.Pixels}
	if im.Mask != nil {
		groups = nil
		for _, p := range im.Pixels {
			groups = append(groups, [][]float32{p})
		}
	}
	var out []imageTokens
	for _, pixels := range groups {
		tokens, err := r.encoded.get(imageKey(im, pixels, r.batch), func() (*gpu.Tensor, error) { return r.encodeImage(ctx, im, pixels) })
		if err != nil {
			return nil, err
		}
		out = append(out, imageTokens{prompt: im, tokens: tokens.Reshape(r.batch, tokens.Shape[1]/r.batch, tokens.Shape[2])})
	}
	return out, nil
}

// encodeImage makes the tokens of pictures that share one softmax, [1, B·T, D]: with
// guidance those of no picture first.
func (r *run) encodeImage(ctx context.Context, im ImagePrompt, pixels [][]float32) (*gpu.Tensor, error) {
	d := r.Device
	stream := r.Memory.crowded(im.Vision)
	if err := r.Memory.Need(ctx, im.Adapter); err != nil {
		return nil, err
	}
	size := im.Vision.Config.ImageSize
	n := len(pixels)
	in := d.NewTensor("pixel_values", gpu.Act, n, size, size, 3)
	defer in.Release()
	var flat []float32
	for _, p := range pixels {
		flat = append(flat, p...)
	}
	in.SetFloat32(flat)
	// Without a picture the global adapters see an embedding of zeros, Plus the
	// hidden states of a picture of zeros (encode_image of diffusers' pipelines).
	var zero *gpu.Tensor
	if im.Adapter.Plus != nil {
		zero = d.NewTensor("zero pixel_values", gpu.Act, 1, size, size, 3)
	} else {
		zero = d.NewTensor("zero image_embeds", gpu.Act, 1, 1, im.Vision.Config.ProjectionDim)
	}
	defer zero.Release()
	if stream {
		var err error
		plus := im.Adapter.Plus != nil
		if in, err = im.Vision.streamed(ctx, r.Memory, in, plus); err != nil {
			return nil, err
		}
		defer in.Release()
		if plus && r.batch == 2 {
			nothing := zero
			zero, err = r.encoded.get(fmt.Sprintf("no picture %p", im.Vision), func() (*gpu.Tensor, error) {
				return im.Vision.streamed(ctx, r.Memory, nothing, plus)
			})
			if err != nil {
				return nil, err
			}
		}
	} else if err := r.Memory.Need(ctx, im.Vision, im.Adapter); err != nil {
		return nil, err
	}
	return once(ctx, d, "image encoder", func(p *gpu.Program) *gpu.Tensor {
		project := func(x *gpu.Tensor, negative bool) *gpu.Tensor {
			switch {
			case stream:
			case im.Adapter.Plus != nil:
				x = im.Vision.penultimate(p, x)
			case !negative:
				x = im.Vision.imageEmbeds(p, x)
			}
			return im.Adapter.record(p, x)
		}
		t := im.Adapter.NumTokens()
		dim := r.UNet.Config.CrossAttentionDim
		with := project(in, false).Reshape(1, n*t, dim)
		if r.batch == 1 {
			return gpu.SliceTokens(p, with, 0, n*t)
		}
		without := project(zero, true)
		parts := make([]*gpu.Tensor, 0, n+1)
		for range n {
			parts = append(parts, without)
		}
		return gpu.ConcatTokens(p, append(parts, with)...)
	})
}

// spans fills the tables of the decoupled cross-attention: where each prompt's tokens
// are, λ by step, layer and prompt, and the masks of every attention's size.
func (r *run) spans(c *conditioning, images []imageTokens) {
	d := r.Device
	n, layers, steps := len(images), len(r.UNet.cross), len(r.schedule.Steps)
	table := make([]uint32, 0, 4*n)
	at, masks := 0, 0
	for _, im := range images {
		mask := uint32(0)
		if im.prompt.Mask != nil {
			masks++
			mask = uint32(masks)
		}
		table = append(table, uint32(at), uint32(im.tokens.Shape[1]), mask, 0)
		at += im.tokens.Shape[1]
	}
	c.spans = d.NewTensor("image prompts", gpu.U32, n, 4)
	c.spans.SetUint32(table)

	lambda := make([]float32, 0, steps*layers*n)
	for step := range steps {
		for layer := range layers {
			for _, im := range images {
				p := im.prompt
				s := p.Scales[layer]
				// As diffusers' control_guidance_start and _end.
				if float64(step)/float64(steps) < p.Start || float64(step+1)/float64(steps) > p.End {
					s = 0
				}
				lambda = append(lambda, float32(s))
			}
		}
	}
	c.scales = d.NewTensor("ip_adapter_scale", gpu.F32, steps, layers*n)
	c.scales.SetFloat32(lambda)

	if masks == 0 {
		return
	}
	h, w := r.h, r.w
	for range r.UNet.Config.BlockOutChannels {
		t := d.NewTensor("ip_adapter_masks", gpu.F32, masks, h*w)
		var values []float32
		for _, im := range images {
			if im.prompt.Mask != nil {
				values = append(values, im.prompt.Mask(h*w)...)
			}
		}
		t.SetFloat32(values)
		c.masks[[2]int{h, w}] = t
		h, w = r.UNet.halved(h), r.UNet.halved(w)
	}
}

// halved is the size after a downsampler.
func (u *UNet) halved(n int) int {
	if u.Config.DownsamplePadding == 0 {
		return (n+1-3)/2 + 1
	}
	return (n+2-3)/2 + 1
}

// draw takes all random numbers of the run from one generator in diffusers' order.
func (r *run) draw(ctx context.Context) error {
	g := random.New(r.req.Seed)
	n, size := r.req.NumImages, 4*r.h*r.w
	latents := func(count int) [][]float32 {
		all := g.Normal(count * size)
		list := make([][]float32, count)
		for i := range list {
			list[i] = toNHWC(all[i*size:(i+1)*size], 4)
		}
		return list
	}
	q := r.req
	inpainting := q.Mask != nil
	var known []float32
	// Image to image, and inpainting that needs the picture's latents: the posterior is
	// sampled first.
	if q.Init != nil && (!inpainting || r.UNet.Config.InChannels == 4 || r.strength() < 1) {
		var err error
		if known, err = r.encodeVAE(ctx, q.Init, latents(1)[0]); err != nil {
			return err
		}
	}
	r.noise0 = latents(n)
	for i := range n {
		x := make([]float32, size)
		for j, e := range r.noise0[i] {
			if known == nil || inpainting && r.strength() >= 1 {
				x[j] = e * float32(r.schedule.InitNoiseSigma)
			} else {
				x[j] = float32(r.schedule.AddNoise.Latents*float64(known[j]) + r.schedule.AddNoise.Noise*float64(e))
			}
		}
		r.initial = append(r.initial, x)
	}
	if inpainting {
		// diffusers encodes the masked picture for UNets of four channels, too, and
		// draws for it.
		sample := latents(1)[0]
		if r.UNet.Config.InChannels == 9 {
			masked, err := r.encodeVAE(ctx, q.MaskedImage, sample)
			if err != nil {
				return err
			}
			for i, m := range q.LatentMask {
				r.extra = append(append(r.extra, m), masked[4*i:4*i+4]...)
			}
		} else {
			for _, m := range q.LatentMask {
				r.inpaint = append(r.inpaint, m, m, m, m)
			}
			r.inpaint = append(r.inpaint, known...)
		}
	}
	for _, s := range r.schedule.Steps {
		if s.DrawsNoise {
			r.noises = append(r.noises, latents(n))
		} else {
			r.noises = append(r.noises, nil)
		}
	}
	return nil
}

// toNHWC turns [C, pixels] into [pixels, C].
func toNHWC(x []float32, c int) []float32 {
	n := len(x) / c
	y := make([]float32, len(x))
	for i := range n {
		for k := range c {
			y[i*c+k] = x[k*n+i]
		}
	}
	return y
}

// toNCHW turns [pixels, C] into [C, pixels].
func toNCHW(x []float32, c int) []float32 {
	n := len(x) / c
	y := make([]float32, len(x))
	for i := range n {
		for k := range c {
			y[k*n+i] = x[i*c+k]
		}
	}
	return y
}

// encodeVAE samples the posterior of a picture with the noise given, [h·w, 4], and
// scales it (_encode_vae_image).
func (r *run) encodeVAE(ctx context.Context, pixels, noise []float32) ([]float32, error) {
	if err := r.Memory.Need(ctx, r.VAE.Encoder); err != nil {
		return nil, err
	}
	in := r.Device.NewTensor("pixels", gpu.Act, 1, r.req.Height, r.req.Width, 3)
	defer in.Release()
	in.SetFloat32(pixels)
	t, err := once(ctx, r.Device, "VAE encoder", func(p *gpu.Program) *gpu.Tensor {
		t := r.VAE.recordEncode(p, in)
		r.Memory.Room(p.TransientBytes(), r.VAE.Encoder)
		return t
	})
	if err != nil {
		return nil, err
	}
	defer t.Release()
	moments, err := t.Float32(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]float32, len(noise))
	for i := range out {
		mean, logvar := moments[i/4*8+i%4], moments[i/4*8+4+i%4]
		std := float32(math.Exp(0.5 * float64(min(max(logvar, -30), 20))))
		out[i] = (mean + std*noise[i]) * float32(r.VAE.Config.ScalingFactor)
	}
	return out, nil
}

// build records the two programs that run for every picture, a step and the decoder,
// and makes them both where the GPU holds both.
func (r *run) build(ctx context.Context) error {
	d := r.Device
	pixels := r.h * r.w
	steps := len(r.schedule.Steps)
	s := &gpu.Sampler{
		State: d.NewTensor("sampler state", gpu.F32, 6, pixels, 4),
		Input: d.NewTensor("sample", gpu.Act, r.batch, r.h, r.w, r.UNet.Config.InChannels),
		Table: d.NewSamplerTable(r.samplerRows()),
	}
	r.sampler = s
	r.later(func() {
		s.State.Release()
		s.Input.Release()
		s.Table.Release()
		s.Noise.Release()
		s.Inpaint.Release()
	})
	for _, st := range r.schedule.Steps {
		if st.DrawsNoise && s.Noise == nil {
			s.Noise = d.NewTensor("step noise", gpu.F32, steps, pixels, 4)
		}
	}
	if r.inpaint != nil {
		s.Inpaint = d.NewTensor("inpainting", gpu.F32, 3, pixels, 4)
	}

	r.start = d.NewProgram("start")
	gpu.SamplerStart(r.start, s)
	r.later(r.start.Release)
	if err := r.compile(ctx, r.start, 0); err != nil {
		return err
	}
	r.latents = d.NewTensor("latents", gpu.F32, 1, r.h, r.w, 4)
	r.later(r.latents.Release)
	r.later(r.releaseStep)
	r.later(r.releaseDecode)

	if err := r.Memory.Need(ctx, r.UNet, r.VAE.Decoder); err != nil {
		return err
	}
	r.recordStep()
	r.recordDecode()
	r.StepDispatches = r.step.Len()
	if r.apart = !r.Memory.Room(r.step.TransientBytes()+r.decode.TransientBytes(), r.UNet, r.VAE.Decoder); r.apart {
		r.releaseStep()
		r.releaseDecode()
		return nil
	}
	if err := r.compile(ctx, r.step, 1); err != nil {
		return err
	}
	return r.compile(ctx, r.decode, 2)
}

// compile builds a program, the one of that number of three, and reports how far it is.
func (r *run) compile(ctx context.Context, p *gpu.Program, number int) error {
	p.Compiled = func(done, total int) {
		r.progress(Progress{Stage: StageCompile, Images: r.req.NumImages, Steps: len(r.schedule.Steps),
			Fraction: (float64(number) + float64(done)/float64(total)) / 3})
	}
	return p.Build(ctx)
}

// recordStep records the UNet, once for both branches of guidance or twice, and the
// scheduler's step. The UNet has to be loaded.
func (r *run) recordStep() {
	p, s := r.Device.NewProgram("UNet step"), r.sampler
	r.step = p
	if !r.split {
		gpu.SamplerStep(p, r.UNet.record(p, s.Input, r.conds[0]), s)
		return
	}
	// Both branches have the same input.
	pixels := r.h * r.w
	both := p.NewTensor("noise prediction", gpu.F32, r.batch, r.h, r.w, 4)
	for b, c := range r.conds {
		eps := r.UNet.record(p, s.Input.First(1), c)
		gpu.CopyRows(p, eps, both, 0, b*pixels, pixels)
	}
	gpu.SamplerStep(p, both, s)
}

// recordDecode records the decoder, which has to be loaded.
func (r *run) recordDecode() {
	r.decode = r.Device.NewProgram("VAE decoder")
	x := gpu.Cast(r.decode, r.latents, 1/r.VAE.Config.ScalingFactor)
	r.decoded = r.VAE.recordDecode(r.decode, x)
	r.decode.Keep(r.decoded)
}

func (r *run) releaseStep() {
	if r.step != nil {
		r.step.Release()
		r.step = nil
	}
}

func (r *run) releaseDecode() {
	if r.decode != nil {
		r.decode.Release()
		r.decoded.Release()
		r.decode = nil
	}
}

// readyStep makes the step's program where it is not kept.
func (r *run) readyStep(ctx context.Context) error {
	if !r.apart {
		return nil
	}
	r.releaseStep() // of a picture that was skipped
	r.releaseDecode()
	if err := r.Memory.Need(ctx, r.UNet); err != nil {
		return err
	}
	r.recordStep()
	r.Memory.Room(r.step.TransientBytes(), r.UNet)
	return r.compile(ctx, r.step, 1)
}

// readyDecode makes the decoder's program where it is not kept: the step's leaves first,
// and, where the budget asks for it, the UNet.
func (r *run) readyDecode(ctx context.Context) error {
	if !r.apart {
		return nil
	}
	r.releaseStep()
	if err := r.Memory.Need(ctx, r.VAE.Decoder); err != nil {
		return err
	}
	r.recordDecode()
	r.Memory.Room(r.decode.TransientBytes(), r.VAE.Decoder)
	return r.compile(ctx, r.decode, 2)
}

// samplerRows puts the schedule in the kernel's form; row 0 prepares the first input.
func (r *run) samplerRows() []gpu.SamplerRow {
	steps := r.schedule.Steps
	rows := []gpu.SamplerRow{{InputScale: steps[0].InputScale}}
	for i, s := range steps {
		row := gpu.SamplerRow{
			InputScale: 1, Guidance: r.req.GuidanceScale,
			MX: s.MX, ME: s.ME, Clip: s.Clip,
			CX: s.Next.X, CS: s.Next.S, CE: s.Next.E, CM: s.Next.M, CN: s.Next.Noise,
			Save: s.Save, SX: s.Saved.X, SS: s.Saved.S, SM: s.Saved.M, Push: s.Push,
			Blend: r.inpaint != nil, BlendInit: s.Init, BlendMix: s.InitNoise,
		}
		if i+1 < len(steps) {
			row.InputScale = steps[i+1].InputScale
		}
		rows = append(rows, row)
	}
	return rows
}

// image runs the steps of picture i and decodes it. skip ends ctx.
func (r *run) image(ctx context.Context, i int, skip func()) (Result, error) {
	s := r.sampler
	pixels := r.h * r.w
	state := make([]float32, 6*pixels*4)
	copy(state, r.initial[i])
	s.State.SetFloat32(state)
	if s.Noise != nil {
		var all []float32
		for _, step := range r.noises {
			if step == nil {
				all = append(all, make([]float32, 4*pixels)...)
			} else {
				all = append(all, step[i]...)
			}
		}
		s.Noise.SetFloat32(all)
	}
	if s.Inpaint != nil {
		s.Inpaint.SetFloat32(append(append([]float32(nil), r.inpaint...), r.noise0[i]...))
	}
	if r.extra != nil {
		// The latents' channels are written by the kernel, these once.
		var input []float32
		for range r.batch {
			for px := range pixels {
				input = append(append(input, 0, 0, 0, 0), r.extra[5*px:5*px+5]...)
			}
		}
		s.Input.SetFloat32(input)
	}
	if err := r.readyStep(ctx); err != nil {
		return Result{}, err
	}
	if err := r.start.Run(ctx, 0); err != nil {
		return Result{}, err
	}
	steps := len(r.schedule.Steps)
	sample := func(ctx context.Context) ([]float32, error) {
		all, err := s.State.Float32(ctx)
		if err != nil {
			return nil, err
		}
		return all[:4*pixels], nil
	}
	decode := func(ctx context.Context, latents []float32) ([]float32, error) {
		r.latents.SetFloat32(latents)
		if err := r.decode.Run(ctx, 0); err != nil {
			return nil, err
		}
		return r.decoded.Float32(ctx)
	}
	preview := func(ctx context.Context) ([]float32, error) {
		x, err := sample(ctx)
		if err != nil {
			return nil, err
		}
		return decode(ctx, calmed(x))
	}
	if r.apart {
		preview = nil // the decoder is not here
	}
	began := time.Now()
	for step := range steps {
		if err := r.step.Run(ctx, step); err != nil {
			return Result{}, err
		}
		r.progress(Progress{Stage: StageDenoise, Image: i, Images: r.req.NumImages, Step: step + 1, Steps: steps,
			Seconds: time.Since(began).Seconds(), Skip: skip, Preview: preview})
	}
	latents, err := sample(ctx)
	if err != nil {
		return Result{}, err
	}
	r.progress(Progress{Stage: StageDecode, Image: i, Images: r.req.NumImages, Step: steps, Steps: steps, Seconds: time.Since(began).Seconds()})
	if err := r.readyDecode(ctx); err != nil {
		return Result{}, err
	}
	picture, err := decode(ctx, latents)
	if err != nil {
		return Result{}, err
	}
	if r.apart {
		r.releaseDecode()
	}
	return Result{Pixels: picture, Latents: toNCHW(latents, 4), Height: r.req.Height, Width: r.req.Width}, nil
}

// calmed scales noisy latents down to the deviation of 1 that the decoder knows: some
// schedulers' samples begin at fifteen times that.
func calmed(x []float32) []float32 {
	var squares float64
	for _, v := range x {
		squares += float64(v) * float64(v)
	}
	factor := float32(1 / max(1, math.Sqrt(squares/float64(len(x)))))
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = v * factor
	}
	return y
}
