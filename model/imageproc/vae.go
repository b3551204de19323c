package imageproc

import "math"

// vaeScaleFactor is the size of a latent pixel in picture pixels.
const vaeScaleFactor = 8

// VAESize returns the size that VaeImageProcessor.preprocess gives a picture
// when it is told none: its own, each edge rounded down to a multiple of 8.
func (m *Image) VAESize() (height, width int) {
	return m.Height - m.Height%vaeScaleFactor, m.Width - m.Width%vaeScaleFactor
}

// VAEPreprocess returns what VaeImageProcessor.preprocess makes of a picture
// for the VAE's encoder: [height, width, 3] in [-1, 1], resized with Lanczos'
// filter, proportions not kept. The size is a multiple of 8 (image-to-image
// takes VAESize, inpainting the size of the result).
func VAEPreprocess(m *Image, height, width int) []float32 {
	values := ControlPreprocess(m, height, width)
	for i, v := range values {
		values[i] = 2*v - 1
	}
	return values
}

// ControlPreprocess returns what the control_image_processor of diffusers' ControlNet and
// T2I-Adapter pipelines makes of a picture: [height, width, 3] in [0, 1], resized with
// Lanczos' filter, proportions not kept.
func ControlPreprocess(m *Image, height, width int) []float32 {
	m = m.RGB().Resize(width, height, Lanczos)
	values := make([]float32, len(m.Pix))
	for i, v := range m.Pix {
		values[i] = float32(v) / 255
	}
	return values
}

// VAEPostprocess is VaeImageProcessor.postprocess: it turns the VAE's output,
// [height, width, 3] in [-1, 1], into a picture. What is out of range is
// clamped; halves are rounded to even.
func VAEPostprocess(values []float32, height, width int) *Image {
	m := newImage(width, height, 3)
	for i := range m.Pix {
		v := min(max(values[i]*0.5+0.5, 0), 1)
		m.Pix[i] = uint8(math.RoundToEven(float64(v * 255)))
	}
	return m
}

// MaskPreprocess is the preprocess of the inpainting pipelines' mask processor
// and of IPAdapterMaskProcessor: resize with Lanczos' filter, grey, 1 where the
// mask is at least half white, else 0. It returns [height, width].
func MaskPreprocess(m *Image, height, width int) []float32 {
	// Grey comes after the resize, as in diffusers: the rounding differs.
	m = m.Resize(width, height, Lanczos).Grey()
	values := make([]float32, len(m.Pix))
	for i, v := range m.Pix {
		if float32(v)/255 >= 0.5 {
			values[i] = 1
		}
	}
	return values
}

// MaskedImage returns the picture of VAEPreprocess with all that the mask wants
// repainted set to 0 (grey): masked_image of StableDiffusionInpaintPipeline.
func MaskedImage(values, mask []float32) []float32 {
	out := make([]float32, len(values))
	for i, v := range values {
		if mask[i/3] < 0.5 {
			out[i] = v
		}
	}
	return out
}

// LatentMask scales a mask [height, width] to the latents' size by the nearest
// pixel: torch.nn.functional.interpolate in
// StableDiffusionInpaintPipeline.prepare_mask_latents.
func LatentMask(mask []float32, height, width, latentHeight, latentWidth int) []float32 {
	nearest := func(from, to int) []int {
		scale := float32(from) / float32(to)
		index := make([]int, to)
		for i := range index {
			index[i] = min(int(float32(i)*scale), from-1)
		}
		return index
	}
	rows, columns := nearest(height, latentHeight), nearest(width, latentWidth)
	out := make([]float32, 0, latentHeight*latentWidth)
	for _, y := range rows {
		for _, x := range columns {
			out = append(out, mask[y*width+x])
		}
	}
	return out
}
