package pipeline

import (
	"context"
	"time"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// image runs the steps of picture i and decodes it. skip ends ctx.
func (r *run) image(ctx context.Context, i int, skip func()) (Result, error) {
	ps := r.programs
	ps.upload(i)
	if err := ps.readyStep(ctx); err != nil {
		return Result{}, err
	}
	if err := ps.start.Run(ctx, 0); err != nil {
		return Result{}, err
	}
	r.saturation.clear(r.UNet)
	steps := len(r.schedule.Steps)
	began := time.Now()
	for step := range steps {
		if err := ps.step.Run(ctx, step); err != nil {
			return Result{}, err
		}
		r.StepCalls = ps.step.Calls()
		r.progress(Progress{Stage: StageDenoise, Image: i, Images: r.req.NumImages, Step: step + 1, Steps: steps,
			Seconds: time.Since(began).Seconds(), Skip: skip, Preview: ps.preview})
	}
	latents, err := ps.sample(ctx)
	if err != nil {
		return Result{}, err
	}
	result := Result{Latents: transposed(latents, r.h*r.w), Height: r.req.Height, Width: r.req.Width, Index: i, Tiled: r.tiled}
	if !r.req.LatentsOnly {
		decoded := func(fraction float64) {
			r.progress(Progress{Stage: StageDecode, Image: i, Images: r.req.NumImages, Step: steps, Steps: steps,
				Seconds: time.Since(began).Seconds(), Fraction: fraction, Skip: skip})
		}
		decoded(0)
		if result.Pixels, err = ps.decodeLatents(ctx, latents, decoded); err != nil {
			return Result{}, err
		}
	}
	result.Saturated, err = r.saturation.first(ctx)
	return result, err
}

// sample reads the latents as they are now, [h·w, 4].
func (ps *programs) sample(ctx context.Context) ([]float32, error) {
	state, err := ps.sampler.State.Float32(ctx)
	if err != nil {
		return nil, err
	}
	return state[:4*ps.run.h*ps.run.w], nil
}

// decodeLatents turns latents, [h·w, 4], into pixels. done is told which part of their tiles are done, if there are several.
func (ps *programs) decodeLatents(ctx context.Context, latents []float32, done func(fraction float64)) (pixels []float32, err error) {
	r := ps.run
	if err := ps.readyDecode(ctx); err != nil {
		return nil, err
	}
	r.saturation.clear(r.VAE.Decoder)
	if r.tiled {
		keep := ps.networks()
		if ps.apart {
			keep = []nn.Network{r.VAE.Decoder}
		}
		pixels, err = r.inTiles(ctx, r.VAE.DecodeTiles(r.h, r.w), latents, ps.decode, r.recordDecode, done, keep...)
	} else {
		pixels, err = ps.decode.run(ctx, latents)
	}
	if err != nil {
		return nil, err
	}
	if ps.apart {
		ps.releaseDecode()
	}
	return r.VAE.Picture(pixels), nil
}

// upload gives the sampler what picture i begins from, and its noise.
func (ps *programs) upload(i int) {
	r := ps.run
	if r.noised != nil {
		r.noised.Begin(r.reference[i])
	}
	s := ps.sampler
	pixels := r.h * r.w
	state := make([]float32, gpu.SamplerState*pixels*4)
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
		s.Inpaint.SetFloat32(append(append([]float32(nil), of(r.inpaint, i)...), r.noise0[i]...))
	}
	if r.extra != nil {
		extra := of(r.extra, i)
		// The latents' channels are written by the kernel, these once.
		var input []float32
		for range r.batch {
			for px := range pixels {
				input = append(append(input, 0, 0, 0, 0), extra[5*px:5*px+5]...)
			}
		}
		s.Input.SetFloat32(input)
	}
}
