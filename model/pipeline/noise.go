package pipeline

import (
	"context"
	"math"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/random"
)

// draw takes all random numbers of the run from one generator in diffusers' order.
func (r *run) draw(ctx context.Context) error {
	g := random.New(r.req.Seed)
	n, size := r.req.NumImages, 4*r.h*r.w
	latents := func(count int) [][]float32 {
		all := g.Normal(count * size)
		list := make([][]float32, count)
		for i := range list {
			list[i] = transposed(all[i*size:(i+1)*size], 4)
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

// encodeVAE samples the posterior of a picture with the noise given, [h·w, 4], and
// scales it (_encode_vae_image).
func (r *run) encodeVAE(ctx context.Context, pixels, noise []float32) ([]float32, error) {
	if err := r.Memory.Need(ctx, r.VAE.Encoder); err != nil {
		return nil, err
	}
	in := r.Device.NewTensor("pixels", gpu.Act, 1, r.req.Height, r.req.Width, 3)
	defer in.Release()
	in.SetFloat32(pixels)
	t, err := nn.Once(ctx, r.Device, "VAE encoder", func(p *gpu.Program) *gpu.Tensor {
		t := r.VAE.Encoder.Record(p, in)
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
