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

// blurFloats is OpenCV's GaussianBlur of float32 samples with a size that follows from sigma.
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
				total += w * float32(row[mirror(x+i-size/2, m.Width)])
			}
			across[y*m.Width+x] = total
		}
	}
	out := make([]float32, len(across))
	for y := range m.Height {
		for i, w := range weights {
			row := across[mirror(y+i-size/2, m.Height)*m.Width:]
			for x := range m.Width {
				out[y*m.Width+x] += w * row[x]
			}
		}
	}
	return out
}
