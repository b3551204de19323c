package pipeline

import (
	"context"
	"errors"
	"slices"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// previewer draws a run's previews with a tiny autoencoder.
type previewer struct {
	latents *gpu.Tensor // F32 [1, h, w, 4]
	decode  *gpu.Program
	decoded *gpu.Tensor // F32 [1, H, W, 3], its result
	ready   *building
}

// recordPreview records the decoder of the previews, if there is one. It leaves it out where the GPU
// does not hold it beside the networks and the bytes that the other programs take.
func (ps *programs) recordPreview(ctx context.Context, bytes int64, networks []nn.Network) error {
	r := ps.run
	if r.Preview == nil {
		return nil
	}
	networks = append(slices.Clone(networks), r.Preview.Decoder)
	if !r.Memory.Fits(bytes, networks...) {
		return nil
	}
	if err := r.Memory.Need(ctx, networks...); err != nil {
		return err
	}
	v := &previewer{latents: r.Device.NewTensor("latents of a preview", gpu.F32, 1, r.h, r.w, 4), decode: r.Device.NewProgram("preview")}
	v.decoded = r.Preview.Decoder.Record(v.decode, r.Preview.DecoderInput(v.decode, v.latents))
	v.decode.Keep(v.decoded)
	if !r.Memory.Room(bytes+v.decode.TransientBytes(), networks...) {
		v.release()
		return nil
	}
	ps.previewer = v
	r.later(v.release)
	return nil
}

// errOver is what a preview returns that was asked for too late.
var errOver = errors.New("the run is over")

func (v *previewer) release() {
	if v.ready != nil {
		v.ready.cancel()
		<-v.ready.done
	}
	v.decode.Release()
	v.decoded.Release()
	v.latents.Release()
}

// preview is Progress.Preview. While it waits for the GPU, the run may end and release its tensors.
func (ps *programs) preview(ctx context.Context) (Preview, error) {
	r := ps.run
	if r.over {
		return Preview{}, errOver
	}
	state, err := ps.sampler.State.Float32(ctx)
	if err != nil {
		return Preview{}, err
	}
	clean := state[gpu.CleanSample*4*r.h*r.w:][:4*r.h*r.w]
	v := ps.previewer
	if v == nil {
		return Preview{r.VAE.LatentRGB.Pixels(clean), r.h, r.w}, nil
	}
	if err := v.ready.wait(); err != nil {
		return Preview{}, err
	}
	if r.over {
		return Preview{}, errOver
	}
	v.latents.SetFloat32(clean)
	if err := v.decode.Run(ctx, 0); err != nil {
		return Preview{}, err
	}
	if r.over {
		return Preview{}, errOver
	}
	pixels, err := v.decoded.Float32(ctx)
	return Preview{r.Preview.Picture(pixels), r.h * r.factor, r.w * r.factor}, err
}
