package pipeline

import (
	"context"

	"github.com/imprompt/imprompt/gpu"
)

// build records the two programs that run for every picture, a step and the decoder. It
// builds both where the GPU holds both, and otherwise leaves that to readyStep and
// readyDecode.
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

	networks := append(r.stepNetworks(), r.VAE.Decoder)
	if err := r.Memory.Need(ctx, networks...); err != nil {
		return err
	}
	r.recordStep()
	r.recordDecode()
	r.StepDispatches = r.step.Len()
	if r.apart = !r.Memory.Room(r.step.TransientBytes()+r.decode.TransientBytes(), networks...); r.apart {
		r.releaseStep()
		r.releaseDecode()
		return nil
	}
	if err := r.compile(ctx, r.step, 1); err != nil {
		return err
	}
	return r.compile(ctx, r.decode, 2)
}

// compile builds the program of that number, of three, and reports how far it has come.
func (r *run) compile(ctx context.Context, p *gpu.Program, number int) error {
	p.Compiled = func(done, total int) {
		r.progress(Progress{Stage: StageCompile, Images: r.req.NumImages, Steps: len(r.schedule.Steps),
			Fraction: (float64(number) + float64(done)/float64(total)) / 3})
	}
	return p.Build(ctx)
}

// recordStep records the UNet for every branch, and the scheduler's step. The networks of
// the step have to be loaded.
func (r *run) recordStep() {
	p, s := r.Device.NewProgram("UNet step"), r.sampler
	r.step = p
	if len(r.branches) == 1 {
		gpu.SamplerStep(p, r.predict(p, s.Input, 0), s)
		return
	}
	// All branches have the same input.
	pixels := r.h * r.w
	all := p.NewTensor("noise prediction", gpu.F32, r.batch, r.h, r.w, 4)
	for i, b := range r.branches {
		eps := r.predict(p, s.Input.First(b.Count), i)
		gpu.CopyRows(p, eps, all, 0, b.First*pixels, b.Count*pixels)
	}
	gpu.SamplerStep(p, all, s)
}

// recordDecode records the decoder, which has to be loaded.
func (r *run) recordDecode() {
	r.decode = r.Device.NewProgram("VAE decoder")
	x := gpu.Cast(r.decode, r.latents, 1/r.VAE.Config.ScalingFactor)
	r.decoded = r.VAE.Decoder.Record(r.decode, x)
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

// readyStep builds the step's program where it is not kept.
func (r *run) readyStep(ctx context.Context) error {
	if !r.apart {
		return nil
	}
	r.releaseStep() // of a picture that was skipped
	r.releaseDecode()
	networks := r.stepNetworks()
	if err := r.Memory.Need(ctx, networks...); err != nil {
		return err
	}
	r.recordStep()
	r.Memory.Room(r.step.TransientBytes(), networks...)
	return r.compile(ctx, r.step, 1)
}

// readyDecode builds the decoder's program where it is not kept. It releases the step's
// program first and, where the budget asks for it, unloads the UNet.
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
		}
		if i+1 < len(steps) {
			row.InputScale = steps[i+1].InputScale
		}
		rows = append(rows, row)
	}
	return rows
}
