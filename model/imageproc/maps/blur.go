package maps

import (
	"math"

	"github.com/imprompt/imprompt/model/imageproc"
)

// blur is OpenCV's GaussianBlur of 8-bit samples with a size that follows from sigma (smooth.dispatch.cpp): weights of 8
// binary places, and a picture that is mirrored at its border without repeating the outermost pixels.
func blur(m *imageproc.Image, sigma float64) *imageproc.Image {
	weights := gaussian(sigma)
	half := len(weights) / 2
	across := make([]uint32, len(m.Pix))
	stride := m.Width * m.Channels
	for y := range m.Height {
		for x := range m.Width {
			for c := range m.Channels {
				sum := uint32(0)
				for i, w := range weights {
					sum += w * uint32(m.Pix[y*stride+mirror(x+i-half, m.Width)*m.Channels+c])
				}
				across[y*stride+x*m.Channels+c] = sum
			}
		}
	}
	out := imageOf(m.Width, m.Height, m.Channels)
	sums := make([]uint32, stride)
	for y := range m.Height {
		for x := range sums {
			sums[x] = 1 << 15 // half
		}
		for i, w := range weights {
			row := across[mirror(y+i-half, m.Height)*stride:]
			for x := range sums {
				sums[x] += w * row[x]
			}
		}
		for x, sum := range sums {
			out.Pix[y*stride+x] = uint8(sum >> 16)
		}
	}
	return out
}

// gaussian returns the weights, whose sum is 256. A weight's rounding error goes into the next one
// (getGaussianKernelFixedPoint_ED).
func gaussian(sigma float64) []uint32 {
	size := int(math.RoundToEven(sigma*3*2+1)) | 1
	exact := make([]float64, size)
	sum := 0.0
	for i := range exact {
		x := float64(i - size/2)
		exact[i] = math.Exp(-0.5 / (sigma * sigma) * x * x)
		sum += exact[i]
	}
	weights := make([]uint32, size)
	left, carried := uint32(256), 0.0
	for i := range size / 2 {
		v := exact[i]/sum*256 + carried
		w := math.RoundToEven(v)
		carried = v - w
		weights[i], weights[size-1-i] = uint32(w), uint32(w)
		left -= 2 * uint32(w)
	}
	weights[size/2] = left
	return weights
}

// mirror returns the index that stands for one beyond the border: BORDER_REFLECT_101.
func mirror(i, n int) int {
	if n == 1 {
		return 0
	}
	for i < 0 || i >= n {
		if i < 0 {
			i = -i
		} else {
			i = 2*n - 2 - i
		}
	}
	return i
}
