package maps

import (
	"math"

	"github.com/imprompt/imprompt/model/imageproc"
)

// Luminance is sd-webui-controlnet's recolor_luminance: L of CIELAB with OpenCV's tables (color_lab.cpp), to the power of
// gamma. As there, red and blue have changed places, because the conversion takes them in the order of OpenCV's own
// pictures; the networks that read such maps were published with it.
func Luminance(m *imageproc.Image, gamma float64) *imageproc.Image {
	lightness, linear := labTables()
	return recolor(m, gamma, func(r, g, b uint8) uint8 {
		y := (uint32(linear[b])*871 + uint32(linear[g])*2929 + uint32(linear[r])*296 + 1<<11) >> 12
		return lightness[y]
	})
}

// labTables returns L by 8 times the luminance, and 8 times the linear value of a sample of sRGB.
func labTables() (lightness [2041]uint8, linear [256]uint16) {
	for i := range linear {
		v := float64(i) / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		linear[i] = uint16(math.RoundToEven(v * 255 * 8))
	}
	for i := range lightness {
		v := float64(i) / (255 * 8)
		if v < 216.0/24389 {
			v = v*(841.0/108) + 16.0/116
		} else {
			v = math.Cbrt(v)
		}
		f := int64(math.RoundToEven(v * (1 << 15)))
		const scale, shift = (116*255 + 50) / 100, (16*255*(1<<15) + 50) / 100
		lightness[i] = uint8(min(max((f*scale-shift+1<<14)>>15, 0), 255))
	}
	return lightness, linear
}

// Intensity is sd-webui-controlnet's recolor_intensity: the brightest channel, to the power of gamma.
func Intensity(m *imageproc.Image, gamma float64) *imageproc.Image {
	return recolor(m, gamma, func(r, g, b uint8) uint8 { return max(r, g, b) })
}

// recolor makes a grey picture of what value gives for each pixel, to the power of gamma. It computes in float32 and cuts
// fractions off, as the original's numpy does.
func recolor(m *imageproc.Image, gamma float64, value func(r, g, b uint8) uint8) *imageproc.Image {
	var levels [256]uint8
	for i := range levels {
		v := float32(math.Pow(float64(float32(i)/255), gamma))
		levels[i] = uint8(min(v*255, 255))
	}
	m = m.RGB()
	out := imageOf(m.Width, m.Height, 1)
	for i := range out.Pix {
		p := m.Pix[3*i : 3*i+3]
		out.Pix[i] = levels[value(p[0], p[1], p[2])]
	}
	return out
}
