package maps

import (
	"math"
	"slices"

	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/random"
)

// Shuffle moves the parts of a picture to other places, so that its colours remain and its composition does not:
// controlnet_aux's ContentShuffleDetector after numpy.random.seed(seed). size is its f, which says how large the parts
// are, in pixels.
func Shuffle(m *imageproc.Image, seed uint32, size int) *imageproc.Image {
	numbers := random.New(uint64(seed))
	x := noiseDisk(numbers, m.Width, m.Height, size)
	y := noiseDisk(numbers, m.Width, m.Height, size)
	out := imageOf(m.Width, m.Height, m.Channels)
	for i := range x {
		between(m, float32(x[i]*float64(m.Width-1)), float32(y[i]*float64(m.Height-1)), out.Pix[i*m.Channels:(i+1)*m.Channels])
	}
	return out
}

// noiseDisk returns smooth noise between 0 and 1 for each pixel: make_noise_disk.
func noiseDisk(numbers *random.Generator, width, height, size int) []float64 {
	columns, rows := width/size+2, height/size+2
	noise := make([]float64, columns*rows)
	for i := range noise {
		noise[i] = numbers.NumpyUniform()
	}
	wide := width + 2*size
	large := resizeNoise(noise, columns, rows, wide, height+2*size)
	middle := make([]float64, 0, width*height)
	for y := range height {
		start := (y+size)*wide + size
		middle = append(middle, large[start:start+width]...)
	}
	least := slices.Min(middle)
	most := max(slices.Max(middle)-least, math.SmallestNonzeroFloat64) // a picture of one pixel has no range
	for i, v := range middle {
		middle[i] = (v - least) / most
	}
	return middle
}

// between reads a picture at a position between its pixels, into one value for each channel, as OpenCV 5's remap does with INTER_LINEAR. (OpenCV 4 rounds positions to
// 1/32 of a pixel.)
func between(m *imageproc.Image, x, y float32, out []uint8) {
	left, top := int(x), int(y)
	alpha, beta := x-float32(left), y-float32(top)
	right, bottom := min(left+1, m.Width-1), min(top+1, m.Height-1)
	for c := range out {
		at := func(x, y int) float32 { return float32(m.Pix[(y*m.Width+x)*m.Channels+c]) }
		mix := func(a, b, share float32) float32 { return a + float32(share*(b-a)) }
		out[c] = saturate(float64(mix(mix(at(left, top), at(right, top), alpha), mix(at(left, bottom), at(right, bottom), alpha), beta)))
	}
}
