package pipeline

import (
	"context"
	"math"
	"slices"

	"github.com/imprompt/imprompt/model/random"
	"github.com/imprompt/imprompt/model/scheduler"
)

// draw takes all random numbers of the run: from one generator for all pictures, or from
// each picture's own.
func (r *run) draw(ctx context.Context) error {
	q := r.req
	r.noises = make([][][]float32, len(r.schedule.Steps))
	if q.Sources == nil {
		return r.drawFrom(ctx, random.New(q.Seed), nil, q.NumImages)
	}
	for i, source := range q.Sources {
		var variation random.Source
		if q.Variation != nil {
			variation = q.Variation[i]
		}
		if err := r.drawFrom(ctx, source, variation, 1); err != nil {
			return err
		}
	}
	return nil
}

// drawFrom takes the random numbers of the next n pictures, in the order of
// scheduler.PlanDraws, which is diffusers'. From variation, unless it is nil, it takes those
// that a picture of it would begin from.
func (r *run) drawFrom(ctx context.Context, g, variation random.Source, n int) error {
	q := r.req
	var known []float32 // the latents of Init
	shape := [3]int{4, r.h, r.w}
	plan := scheduler.PlanDraws(r.kind(), r.schedule, n, shape, r.strength())
	if q.InitLatents != nil {
		plan = slices.DeleteFunc(plan, func(d scheduler.Draw) bool { return d.Name == scheduler.ImageLatents })
	}
	if r.noised != nil {
		plan = scheduler.WithReference(plan, r.schedule, n, shape)
	}
	first := len(r.reference) // of these pictures
	var read [][]float32      // by picture: the latents of what the guide reads
	for _, d := range plan {
		switch d.Name {
		case scheduler.ImageLatents:
			if variation != nil {
				r.posterior(variation, d) // which come before its noise
			}
			var err error
			if known, err = r.encodeVAE(ctx, q.Init, r.posterior(g, d)[0]); err != nil {
				return err
			}
		case scheduler.InitialNoise:
			drawn := g.Normal(d.Count())
			if variation != nil {
				drawn = random.Slerp(drawn, variation.Normal(d.Count()), q.VariationStrength, r.h, r.w)
			}
			for _, noise := range perPicture(drawn, d) {
				if q.InitLatents != nil {
					known = transposed(q.InitLatents[len(r.initial)], 4)
				}
				r.noise0 = append(r.noise0, noise)
				r.initial = append(r.initial, r.firstSample(noise, known))
			}
		case scheduler.MaskedImageLatents:
			noise := r.posterior(g, d)[0]
			if d.Unused {
				continue
			}
			masked, err := r.encodeVAE(ctx, q.MaskedImage, noise)
			if err != nil {
				return err
			}
			var extra []float32
			for i, m := range q.LatentMask {
				extra = append(append(extra, m), masked[4*i:4*i+4]...)
			}
			r.extra = append(r.extra, extra)
		case scheduler.ReferenceLatents:
			for _, noise := range r.posterior(g, d) {
				x, err := r.encodeVAE(ctx, r.noised.Picture(), noise)
				if err != nil {
					return err
				}
				read = append(read, x)
				r.reference = append(r.reference, nil)
			}
		case scheduler.ReferenceNoise:
			a, b := r.schedule.Noised(d.Step)
			for i, noise := range perPicture(g.Normal(d.Count()), d) {
				x := make([]float32, len(noise))
				for j, e := range noise {
					x[j] = float32(a*float64(read[i][j]) + b*float64(e))
				}
				r.reference[first+i] = append(r.reference[first+i], x)
			}
		case scheduler.StepNoise:
			r.noises[d.Step] = append(r.noises[d.Step], perPicture(g.Normal(d.Count()), d)...)
		}
	}
	if r.kind() == scheduler.Inpaint {
		var inpaint []float32
		for _, m := range q.LatentMask {
			inpaint = append(inpaint, m, m, m, m)
		}
		r.inpaint = append(r.inpaint, append(inpaint, known...))
	}
	return nil
}

// of is picture i's entry in a list that has one for each picture, or one for all.
func of[T any](list []T, i int) T { return list[min(i, len(list)-1)] }

// kind is which of diffusers' pipelines the run follows.
func (r *run) kind() scheduler.Kind {
	switch {
	case r.req.Init == nil && r.req.InitLatents == nil:
		return scheduler.TextToImage
	case r.req.Mask == nil:
		return scheduler.ImageToImage
	case r.UNet.Config.InChannels == 9:
		return scheduler.InpaintChannels
	}
	return scheduler.Inpaint
}

// firstSample is what a picture begins from: noise alone or, with known latents, as much
// noise over them as the first step expects. Inpainting at full strength takes noise alone.
func (r *run) firstSample(noise, known []float32) []float32 {
	x := make([]float32, len(noise))
	alone := known == nil || r.req.Mask != nil && r.strength() >= 1
	for i, e := range noise {
		if alone {
			x[i] = e * float32(r.schedule.InitNoiseSigma)
		} else {
			x[i] = float32(r.schedule.AddNoise.Latents*float64(known[i]) + r.schedule.AddNoise.Noise*float64(e))
		}
	}
	return x
}

// perPicture cuts what was drawn, [N, C, h, w], into the N pictures' latents, each [h·w, C].
func perPicture(drawn []float32, d scheduler.Draw) [][]float32 {
	size := d.Count() / d.Shape[0]
	list := make([][]float32, d.Shape[0])
	for i := range list {
		list[i] = transposed(drawn[i*size:(i+1)*size], d.Shape[1])
	}
	return list
}

// posterior draws the numbers for samples of the VAE's posterior, by picture. A tiny autoencoder has
// no posterior, and nothing is drawn for it.
func (r *run) posterior(g random.Source, d scheduler.Draw) [][]float32 {
	if r.VAE.Config.Tiny {
		return make([][]float32, d.Shape[0])
	}
	return perPicture(g.Posterior(d.Count()), d)
}

// encodeVAE samples the posterior of a picture with the given noise, [h·w, 4], and scales
// the sample (_encode_vae_image). What a tiny autoencoder gives is scaled as it is.
func (r *run) encodeVAE(ctx context.Context, pixels, noise []float32) ([]float32, error) {
	moments, err := r.moments(ctx, pixels)
	if err != nil {
		return nil, err
	}
	out := make([]float32, 4*r.h*r.w)
	for i := range out {
		if noise == nil {
			out[i] = moments[i] * float32(r.VAE.Config.ScalingFactor)
			continue
		}
		mean, logvar := moments[i/4*8+i%4], moments[i/4*8+4+i%4]
		std := float32(math.Exp(0.5 * float64(min(max(logvar, -30), 20))))
		out[i] = (mean + std*noise[i]) * float32(r.VAE.Config.ScalingFactor)
	}
	return out, nil
}

// moments are the mean and the logarithm of the variance of a picture's latents, [h·w, 8], or, of a
// tiny autoencoder, the latents, [h·w, 4]. They are computed once, however many samples are taken.
func (r *run) moments(ctx context.Context, pixels []float32) ([]float32, error) {
	if m, ok := r.momentsOf[&pixels[0]]; ok {
		return m, nil
	}
	moments, err := r.encodePixels(ctx, pixels)
	if err != nil {
		return nil, err
	}
	if r.momentsOf == nil {
		r.momentsOf = map[*float32][]float32{}
	}
	r.momentsOf[&pixels[0]] = moments
	return moments, nil
}

// transposed turns [rows, columns] into [columns, rows]: a picture's NCHW into NHWC with
// its channels as rows, and back with its pixels.
func transposed(x []float32, rows int) []float32 {
	columns := len(x) / rows
	y := make([]float32, len(x))
	for i := range rows {
		for k := range columns {
			y[k*rows+i] = x[i*columns+k]
		}
	}
	return y
}
