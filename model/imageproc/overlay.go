package imageproc

import "math"

// Overlay puts a picture's original pixels back where a mask does not want them repainted, as
// VaeImageProcessor.apply_overlay and AUTOMATIC1111's web UI do: an encoder and a decoder change every pixel a little.
// made and original have one size, [height, width, 3], and opacity is of made, [height, width], from 0 to 1. It changes
// made.
func Overlay(made, original *Image, opacity []float32) {
	for i, a := range opacity {
		if a == 1 {
			continue
		}
		for c := 3 * i; c < 3*i+3; c++ {
			o := float32(original.Pix[c])
			made.Pix[c] = uint8(math.RoundToEven(float64(o + (float32(made.Pix[c])-o)*a)))
		}
	}
}

// Feather returns the opacity of what is repainted, [height, width]: 0 outside of the mask, so that nothing there
// changes, and inside of it rising to 1 at a distance of more than width pixels from what is kept. A width of 0 gives
// the mask itself. The picture's own edges are no borders of the mask.
func Feather(mask []float32, height, width, feather int) []float32 {
	down := toUnmasked(mask, height, width, feather+1)
	out := make([]float32, len(mask))
	for i, m := range mask {
		if m < 0.5 {
			continue
		}
		x := i % width
		least := (feather + 1) * (feather + 1) // of the squared distances
		for dx := max(-feather, -x); dx <= min(feather, width-1-x); dx++ {
			d := down[i+dx]
			least = min(least, dx*dx+d*d)
		}
		out[i] = float32(math.Sqrt(float64(least)) / float64(feather+1))
	}
	return out
}

// toUnmasked returns for each pixel how far above or below it the nearest pixel outside of the mask is, at most most.
func toUnmasked(mask []float32, height, width, most int) []int {
	list := make([]int, len(mask))
	pass := func(from, to, step int) {
		for x := range width {
			distance := most
			for y := from; y != to; y += step {
				i := y*width + x
				distance = min(distance+1, most)
				if mask[i] < 0.5 {
					distance = 0
				}
				if step > 0 {
					list[i] = distance
				} else {
					list[i] = min(list[i], distance)
				}
			}
		}
	}
	pass(0, height, 1)
	pass(height-1, -1, -1)
	return list
}
