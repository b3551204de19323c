package pipeline

import (
	"context"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/vae"
)

// coder is a program of a half of the VAE, for all of a picture or for tiles of one size.
type coder struct {
	in, out       *gpu.Tensor
	program       *gpu.Program
	height, width int // of in
}

// recordDecode records the decoder for latents of a size. The decoder has to be loaded.
func (r *run) recordDecode(h, w int) *coder {
	c := &coder{in: r.Device.NewTensor("latents", gpu.F32, 1, h, w, 4), program: r.Device.NewProgram("VAE decoder"), height: h, width: w}
	r.saturation.watch(c.program, r.VAE.Decoder)
	c.out = r.VAE.Decoder.Record(c.program, r.VAE.DecoderInput(c.program, c.in))
	c.program.Keep(c.out)
	return c
}

// recordEncode records the encoder for a picture of a size, in pixels. The encoder has to be loaded.
func (r *run) recordEncode(h, w int) *coder {
	c := &coder{in: r.Device.NewTensor("pixels", gpu.Act, 1, h, w, 3), program: r.Device.NewProgram("VAE encoder"), height: h, width: w}
	r.saturation.watch(c.program, r.VAE.Encoder)
	c.out = r.VAE.Encoder.Record(c.program, c.in)
	c.program.Keep(c.out)
	return c
}

// run runs the program, which has to be built, on [height, width, C].
func (c *coder) run(ctx context.Context, values []float32) ([]float32, error) {
	c.in.SetFloat32(values)
	if err := c.program.Run(ctx, 0); err != nil {
		return nil, err
	}
	return c.out.Float32(ctx)
}

// release frees what the program takes. c may be nil.
func (c *coder) release() {
	if c != nil {
		c.program.Release()
		c.out.Release()
		c.in.Release()
	}
}

// chooseTiling decides whether the VAE works in tiles: if the request asks for it, or if the GPU does not
// hold the decoder for a whole picture, even alone.
func (r *run) chooseTiling(ctx context.Context) error {
	r.tiled = false
	if len(r.VAE.DecodeTiles(r.h, r.w).List) == 1 {
		return nil
	}
	if r.tiled = r.req.VAETiling; r.tiled || r.Memory == nil || r.req.LatentsOnly {
		return nil
	}
	// A planner tells what the decoder takes before it is loaded.
	planned := &run{Pipeline: &Pipeline{Device: r.Device.Planner(), VAE: vae.New(r.VAE.Config)}, saturation: r.saturation}
	if known, err := r.loadPlanned(ctx, planned.Device, planned.VAE.Decoder, r.VAE.Decoder); err != nil || !known {
		return err
	}
	whole := planned.recordDecode(r.h, r.w)
	defer whole.release()
	r.tiled = !r.Memory.Fits(whole.program.TransientBytes(), r.VAE.Decoder)
	return nil
}

// decodeSize is the size of the latents that the decoder reads at a time.
func (r *run) decodeSize() (h, w int) {
	if r.tiled {
		tiles := r.VAE.DecodeTiles(r.h, r.w)
		return tiles.Height, tiles.Width
	}
	return r.h, r.w
}

// encodePixels runs the encoder on the start picture's size, [H, W, 3], and returns what it makes, [h, w, C].
func (r *run) encodePixels(ctx context.Context, pixels []float32) ([]float32, error) {
	if err := r.Memory.Need(ctx, r.VAE.Encoder); err != nil {
		return nil, err
	}
	h, w := r.req.Height, r.req.Width
	tiles := r.VAE.EncodeTiles(h, w)
	if r.tiled {
		h, w = tiles.Height, tiles.Width
	}
	c := r.recordEncode(h, w)
	defer c.release()
	r.Memory.Room(c.program.TransientBytes(), r.VAE.Encoder)
	if err := c.program.Build(ctx); err != nil {
		return nil, err
	}
	pixels = r.VAE.EncoderInput(pixels)
	if !r.tiled {
		return c.run(ctx, pixels)
	}
	return r.inTiles(ctx, tiles, pixels, c, r.recordEncode, func(float64) {}, r.VAE.Encoder)
}

// inTiles runs a half of the VAE tile by tile. c is for tiles of the largest size, and record records it
// for the others. done is told which part of the tiles are done. The networks of keep stay loaded.
func (r *run) inTiles(ctx context.Context, tiles *vae.Tiles, whole []float32, c *coder, record func(h, w int) *coder, done func(fraction float64), keep ...nn.Network) ([]float32, error) {
	var other *coder // for the tiles of the last row and of the last column
	defer func() { other.release() }()
	for i, t := range tiles.List {
		use := c
		if t.Height != c.height || t.Width != c.width {
			if other == nil || t.Height != other.height || t.Width != other.width {
				other.release()
				other = record(t.Height, t.Width)
				r.Memory.Room(other.program.TransientBytes(), keep...)
				if err := other.program.Build(ctx); err != nil {
					return nil, err
				}
			}
			use = other
		}
		values, err := use.run(ctx, tiles.Cut(whole, t))
		if err != nil {
			return nil, err
		}
		tiles.Add(t, values)
		done(float64(i+1) / float64(len(tiles.List)))
	}
	return tiles.Whole, nil
}
