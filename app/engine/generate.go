package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/pipeline"
	"github.com/imprompt/imprompt/model/random"
)

// Generate draws what the settings ask for and passes every picture to done. The same
// settings and pictures give the same picture everywhere. If the GPU runs out of memory,
// Generate begins again in the low-memory mode.
func (e *Engine) Generate(ctx context.Context, s settings.Settings, pictures Pictures, progress func(Event), done func(Result) error) error {
	if err := s.Validate(); err != nil {
		return err
	}
	finished := 0
	count := func(r Result) error { finished++; return done(r) }
	err := e.generate(ctx, s, pictures, progress, count)
	var full *gpu.OutOfMemoryError
	if errors.As(err, &full) && finished == 0 && e.full == 0 {
		e.full = full.Held
		if err := e.recover(ctx); err != nil {
			return err
		}
		e.warn(fmt.Sprintf("The GPU's memory ran out at %d MiB. The picture is drawn in the low-memory mode, which is slower. A smaller picture needs less memory.", full.Held>>20))
		err = e.generate(ctx, s, pictures, progress, count)
	}
	return e.explained(ctx, err)
}

// lowMemory reports whether a run should use as little of the GPU's memory as possible: if
// the settings ask for it, if the memory ran out before, and for a full-size model on a GPU
// that grants only the minimum limits, such as a phone's.
func (e *Engine) lowMemory(s settings.Settings) bool {
	m := e.loaded
	small := e.Device.Limits.MaxBufferSize <= gpu.DefaultLimits.MaxBufferSize
	return s.LowMemory || e.full > 0 || small && m.memory.Bytes(m.pipeline.UNet) > largeModel
}

// largeModel is the size of the smallest UNet for which a small GPU has too little memory.
const largeModel = 512 << 20

// budget is how much the GPU may hold.
func (e *Engine) budget(low bool) int64 {
	switch {
	case e.full > 0:
		return min(nn.LowBudget, e.full/10*9)
	case low:
		return nn.LowBudget
	}
	return nn.DefaultBudget
}

// recover frees the GPU after its memory ran out.
func (e *Engine) recover(ctx context.Context) error {
	e.Unload()
	return e.Device.Recover(ctx)
}

// explained frees the GPU after its memory ran out, and says what can be done.
func (e *Engine) explained(ctx context.Context, err error) error {
	var full *gpu.OutOfMemoryError
	if !errors.As(err, &full) {
		return err
	}
	e.full = full.Held
	if err := e.recover(ctx); err != nil {
		return err
	}
	return fmt.Errorf("the GPU has too little memory for this, even in the low-memory mode: choose a smaller picture, such as 384 × 384, or a smaller model, or close other pages and programs that use the GPU (%w)", full)
}

func (e *Engine) warn(text string) {
	if e.Warn != nil {
		e.Warn(text)
	}
}

func (e *Engine) generate(ctx context.Context, s settings.Settings, pictures Pictures, progress func(Event), done func(Result) error) error {
	if err := e.open(ctx, s.Model, s.VAE); err != nil {
		return err
	}
	m := e.loaded
	m.report(progress)
	m.pipeline.LowMemory = e.lowMemory(s)
	m.memory.Budget = e.budget(m.pipeline.LowMemory)
	if err := e.changeWeights(ctx, s); err != nil {
		return err
	}
	var err error
	if m.pipeline.Preview, err = e.previewVAE(ctx, s); err != nil {
		return err
	}
	in, err := e.inputs(ctx, s, pictures)
	if err != nil {
		return err
	}
	d := &drawing{Engine: e, settings: s, inputs: in, progress: progress, done: done}
	switch {
	case s.TileSize > 0:
		return d.tiles(ctx)
	case s.Twice():
		return d.twice(ctx)
	}
	req, err := d.request(ctx, s)
	if err != nil {
		return err
	}
	o, err := in.start(req, s, m.pipeline.VAE.Config.Factor())
	if err != nil {
		return err
	}
	return d.run(ctx, req, o, pass{}, d.finish(o))
}

// drawing is one Generate.
type drawing struct {
	*Engine
	settings settings.Settings
	inputs   *inputs
	progress func(Event)
	done     func(Result) error
}

// pass is one of several runs that a drawing needs.
type pass struct {
	number, of int
	// before and after are what the passes before and after it take, in steps of this one.
	before, after float64
	image         func(i int) int                               // which picture of the drawing the run's picture i is; nil for the same
	images        int                                           // of the drawing; 0 for those of the run
	preview       func(small *imageproc.Image) *imageproc.Image // makes a preview of the whole picture; nil for what is seen
}

// request makes a run's request of settings, without their start picture.
func (d *drawing) request(ctx context.Context, s settings.Settings) (*pipeline.Request, error) {
	req := &pipeline.Request{
		Height: s.Height, Width: s.Width, Scheduler: s.Scheduler, Steps: s.NumInferenceSteps, Eta: s.Eta,
		GuidanceScale: s.GuidanceScale, GuidanceStart: s.GuidanceStart, GuidanceStop: s.GuidanceStop, CacheInterval: s.CacheInterval, TomeRatio: s.TomeRatio, NumImages: s.NumImages, Strength: s.Strength, VAETiling: s.VAETiling,
		VariationStrength: s.VariationStrength,
	}
	req.Sources, req.Variation = sources(s)
	if err := d.words(ctx, req, s); err != nil {
		return nil, err
	}
	for i, g := range s.Guides {
		guide, err := d.guide(ctx, g, guideInput{number: i + 1, guides: s.Guides, pictures: d.inputs, height: s.Height, width: s.Width})
		if err != nil {
			return nil, err
		}
		req.Guides = append(req.Guides, guide)
	}
	return req, nil
}

// run runs a request, and tells of its progress. done takes its pictures, whose numbers are in range.
func (d *drawing) run(ctx context.Context, req *pipeline.Request, o overlay, at pass, done func(pipeline.Result) error) error {
	return d.loaded.pipeline.Run(ctx, req, func(p pipeline.Progress) {
		ev := Event{Stage: string(p.Stage), Image: p.Image, Images: cmp.Or(at.images, p.Images), Step: p.Step, Steps: p.Steps, Fraction: p.Fraction, Skip: p.Skip,
			Pass: at.number, Passes: at.of, LatentsOnly: req.LatentsOnly}
		if at.of > 0 {
			one := float64(p.Steps + 1) // with the decoder
			ev.Before, ev.After = at.before+one*float64(p.Image), at.after+one*float64(p.Images-1-p.Image)
		}
		if at.image != nil {
			ev.Image = at.image(p.Image)
		}
		if p.Step > 0 {
			ev.SecondsPerStep = p.Seconds / float64(p.Step)
		}
		if p.Preview != nil {
			ev.Preview = func(ctx context.Context) (*imageproc.Image, error) {
				seen, err := p.Preview(ctx)
				if err != nil {
					return nil, err
				}
				small := imageproc.VAEPostprocess(seen.Pixels, seen.Height, seen.Width)
				switch {
				case at.preview != nil:
					return at.preview(small), nil
				case o.original == nil:
					return small, nil
				}
				whole := small.Resize(req.Width, req.Height, imageproc.Bilinear)
				o.apply(whole)
				return whole, nil
			}
		}
		d.progress(ev)
	}, func(r pipeline.Result) error {
		if err := checkRange(r, d.Device.F16); err != nil {
			return err
		}
		return done(r)
	})
}

// finish hands a run's pictures over as they are, with the start picture's pixels put back.
func (d *drawing) finish(o overlay) func(r pipeline.Result) error {
	return func(r pipeline.Result) error {
		p := imageproc.VAEPostprocess(r.Pixels, r.Height, r.Width)
		o.apply(p)
		return d.deliver(p, r)
	}
}

// deliver hands a picture over, with the settings that it is drawn again with.
func (d *drawing) deliver(p *imageproc.Image, r pipeline.Result) error {
	s := d.settings
	if r.Tiled && !s.VAETiling {
		s.VAETiling = true
		d.inputs.warnOnce(tiledByItself)
	}
	f := d.loaded.pipeline.VAE.Config.Factor()
	return d.done(Result{
		RGBA: p.RGBA(), Width: p.Width, Height: p.Height,
		Latents: r.Latents, LatentShape: [2]int{r.Height / f, r.Width / f}, Settings: s.From(r.Index, 1), Index: r.Index,
	})
}

const tiledByItself = "The graphics card's memory does not hold the decoder for a picture of this size, so that it is decoded in overlapping tiles (tiled VAE). Its colours can differ from those of a picture that is decoded at once."

// sources returns the generators of a run's pictures, and those of the noise towards which theirs is turned, or nil. Each picture
// has its own, so that it can be drawn again alone.
func sources(s settings.Settings) (pictures, variation []random.Source) {
	generator := func(seed uint64) random.Source {
		if s.GeneratorDevice == settings.GeneratorGPU {
			return random.NewPhilox(seed)
		}
		return random.New(seed)
	}
	for i := range s.NumImages {
		seed, other := s.PictureSeeds(i)
		pictures = append(pictures, generator(seed))
		if s.VariationStrength > 0 {
			variation = append(variation, generator(other))
		}
	}
	return pictures, variation
}
