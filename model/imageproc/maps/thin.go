package maps

import (
	"math"

	"github.com/imprompt/imprompt/model/imageproc"
)

// Thin blurs a grey picture and keeps, in white, what is brighter than a threshold and the brightest in one of four directions:
// controlnet_aux's nms.
func Thin(m *imageproc.Image, threshold, sigma float64) *imageproc.Image {
	x := blurFloats(m, sigma)
	out := imageOf(m.Width, m.Height, 1)
	at := func(px, py int) float32 {
		if px < 0 || py < 0 || px >= m.Width || py >= m.Height {
			return -1 // darker than all
		}
		return x[py*m.Width+px]
	}
	for i, v := range x {
		px, py := i%m.Width, i/m.Width
		if v <= float32(threshold) {
			continue
		}
		for _, to := range [][2]int{{1, 0}, {0, 1}, {1, 1}, {1, -1}} {
			if v >= at(px-to[0], py-to[1]) && v >= at(px+to[0], py+to[1]) {
				out.Pix[i] = 255
			}
		}
	}
	return out
}

// blurFloats is OpenCV's GaussianBlur of float32 samples with a size that follows from sigma. It sums in OpenCV's order: along
// a row from the left, and along a column from the middle, in pairs.
func blurFloats(m *imageproc.Image, sigma float64) []float32 {
	size := int(math.RoundToEven(sigma*4*2+1)) | 1
	weights := make([]float32, size)
	exact, sum := make([]float64, size), 0.0
	for i := range exact {
		d := float64(i - size/2)
		exact[i] = math.Exp(-d * d / (2 * sigma * sigma))
		sum += exact[i]
	}
	for i, v := range exact {
		weights[i] = float32(v / sum)
	}
	across := make([]float32, len(m.Pix))
	for y := range m.Height {
		row := m.Pix[y*m.Width:][:m.Width]
		for x := range row {
			total := float32(0)
			for i, w := range weights {
				total = fused(w, float32(row[mirror(x+i-size/2, m.Width)]), total)
			}
			across[y*m.Width+x] = total
		}
	}
	out := make([]float32, len(across))
	for y := range m.Height {
		for i := range size/2 + 1 {
			above, below := across[mirror(y-i, m.Height)*m.Width:], across[mirror(y+i, m.Height)*m.Width:]
			for x := range m.Width {
				both := above[x]
				if i > 0 {
					both += below[x]
				}
				out[y*m.Width+x] = fused(weights[size/2+i], both, out[y*m.Width+x])
			}
		}
	}
	return out
}

// fused is a·b + c, rounded once, as OpenCV's vectors compute it.
func fused(a, b, c float32) float32 { return float32(float64(a)*float64(b) + float64(c)) }
