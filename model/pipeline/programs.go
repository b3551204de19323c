package pipeline

import (
	"context"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/nn"
)

// programs are those of a run: one that begins a picture, a step, and the decoder.
type programs struct {
	run     *run
	sampler *gpu.Sampler
	start   *gpu.Program
	step    *gpu.Program
	decode  *coder // for a whole picture, or for the largest of its tiles
	apart   bool   // whether the GPU does not hold the step and the decoder together
	// background is how the decoder's program is being built, while the first steps run.
	background *building
	previewer  *previewer // nil where previews are the latents' colours
}

// building is a program that is being built.
type building struct {
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

// build builds a program in the background.
func build(ctx context.Context, p *gpu.Program) *building {
	b := &building{done: make(chan struct{})}
	ctx, b.cancel = context.WithCancel(ctx)
	go func() {
		defer close(b.done)
		b.err = p.Build(ctx)
	}()
	return b
}

// wait returns when the program is built.
func (b *building) wait() error {
	<-b.done
	return b.err
}

// build records the two programs that run for every picture, a step and the decoder. Where
// the GPU holds both, it builds the step and leaves the decoder building, so that the first
// step does not wait for the decoder's shaders. Otherwise readyStep and readyDecode build them.
func (ps *programs) build(ctx context.Context) error {
	r := ps.run
	d := r.Device
	pixels := r.h * r.w
	steps := len(r.schedule.Steps)
	s := &gpu.Sampler{
		State: d.NewTensor("sampler state", gpu.F32, gpu.SamplerState, pixels, 4),
		Input: d.NewTensor("sample", gpu.Act, r.batch, r.h, r.w, r.UNet.Config.InChannels),
		Table: d.NewSamplerTable(r.samplerRows()),
	}
	ps.sampler = s
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

	ps.start = d.NewProgram("start")
	gpu.SamplerStart(ps.start, s)
	r.later(ps.start.Release)
	if err := ps.compile(ctx, ps.start, 0); err != nil {
		return err
	}
	r.later(ps.releaseStep)
	r.later(ps.releaseDecode)

	networks := ps.networks()
	if ps.apart = !r.Memory.Fits(0, networks...); ps.apart {
		return nil // the decoder is not even loaded beside the UNet
	}
	if err := r.Memory.Need(ctx, networks...); err != nil {
		return err
	}
	ps.recordStep()
	bytes := ps.step.TransientBytes()
	if !r.req.LatentsOnly {
		ps.recordDecode()
		bytes += ps.decode.program.TransientBytes()
		if r.tiled {
			bytes += ps.decode.program.TransientBytes() // for the tiles of another size
		}
	}
	if ps.apart = !r.Memory.Room(bytes, networks...); ps.apart {
		ps.releaseStep()
		ps.releaseDecode()
		return nil
	}
	if err := ps.recordPreview(ctx, bytes, networks); err != nil {
		return err
	}
	if err := ps.compile(ctx, ps.step, 1); err != nil {
		return err
	}
	if v := ps.previewer; v != nil {
		v.ready = build(ctx, v.decode)
	}
	if ps.decode != nil {
		ps.background = build(ctx, ps.decode.program)
	}
	return nil
}

// networks are those that pictures need, from the first step to the last pixel.
func (ps *programs) networks() []nn.Network {
	r := ps.run
	if r.req.LatentsOnly {
		return r.stepNetworks()
	}
	return append(r.stepNetworks(), r.VAE.Decoder)
}

// compile builds the program of that number, of two, and reports how far it has come.
func (ps *programs) compile(ctx context.Context, p *gpu.Program, number int) error {
	p.Compiled = func(done, total int) {
		ps.run.progress(Progress{Stage: StageCompile, Images: ps.run.req.NumImages, Steps: len(ps.run.schedule.Steps),
			Fraction: (float64(number) + float64(done)/float64(total)) / 2})
	}
	return p.Build(ctx)
}

// recordStep records the UNet for every branch, and the scheduler's step. The networks of
// the step have to be loaded.
func (ps *programs) recordStep() {
	r := ps.run
	p, s := r.Device.NewProgram("UNet step"), ps.sampler
	ps.step = p
	r.saturation.watch(p, r.UNet)
	defer func() { r.StepDispatches = p.Len() }()
	if len(r.branches) == 1 {
		gpu.SamplerStep(p, r.predict(p, s.Input, 0), s)
		return
	}
	// All branches have the same input.
	pixels := r.h * r.w
	all := p.NewTensor("noise prediction", gpu.F32, r.batch, r.h, r.w, 4)
	for i, b := range r.branches {
		p.When(r.active(b), func() {
			eps := r.predict(p, s.Input.First(b.Count), i)
			gpu.CopyRows(p, eps, all, 0, b.First*pixels, b.Count*pixels)
			if r.guided != nil && b.First == 1 {
				// Without guidance the negative prompt's prediction is the prompt's, so that they do not differ.
				p.When(gpu.Not(r.guided), func() { gpu.CopyRows(p, eps, all, 0, 0, pixels) })
			}
		})
	}
	gpu.SamplerStep(p, all, s)
}

// active says in which of the steps a branch is computed. nil means in all of them.
func (r *run) active(b *guides.Branch) []bool {
	switch {
	case r.guided == nil || b.First == 0:
		return r.guided
	case r.branches[0].Count == 2:
		return gpu.Not(r.guided)
	}
	return nil
}

// recordDecode records the decoder, which has to be loaded.
func (ps *programs) recordDecode() { ps.decode = ps.run.recordDecode(ps.run.decodeSize()) }

func (ps *programs) releaseStep() {
	if ps.step != nil {
		ps.step.Release()
		ps.step = nil
	}
}

func (ps *programs) releaseDecode() {
	if ps.background != nil {
		ps.background.cancel()
		<-ps.background.done
		ps.background = nil
	}
	ps.decode.release()
	ps.decode = nil
}

// readyStep builds the step's program where it is not kept.
func (ps *programs) readyStep(ctx context.Context) error {
	if !ps.apart {
		return nil
	}
	ps.releaseStep() // of a picture that was skipped
	ps.releaseDecode()
	networks := ps.run.stepNetworks()
	if err := ps.run.Memory.Need(ctx, networks...); err != nil {
		return err
	}
	ps.recordStep()
	ps.run.Memory.Room(ps.step.TransientBytes(), networks...)
	return ps.compile(ctx, ps.step, 1)
}

// readyDecode waits for the decoder's program, or builds it where it is not kept. Before it builds
// it, it releases the step's program and, where the budget asks for it, unloads the UNet.
func (ps *programs) readyDecode(ctx context.Context) error {
	r := ps.run
	if !ps.apart {
		return ps.background.wait()
	}
	ps.releaseStep()
	if err := r.Memory.Need(ctx, r.VAE.Decoder); err != nil {
		return err
	}
	ps.recordDecode()
	r.Memory.Room(ps.decode.program.TransientBytes(), r.VAE.Decoder)
	return ps.compile(ctx, ps.decode.program, 1)
}

// samplerRows is the schedule in the kernel's form. Row 0 prepares the first input.
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
			PX: s.Clean.X, PE: s.Clean.E,
		}
		if i+1 < len(steps) {
			row.InputScale = steps[i+1].InputScale
		}
		rows = append(rows, row)
	}
	return rows
}
