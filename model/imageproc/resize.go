package imageproc

import (
	"fmt"
	"math"
)

// Filter is a resampling filter; its values are PIL.Image.Resampling's, which
// preprocessor_config.json has in "resample".
type Filter int

const (
	Nearest Filter = iota
	Lanczos
	Bilinear
	Bicubic
	Box
	Hamming
)

// Resize returns the picture at another size, as PIL's Image.resize does, to
// the bit. When it makes a picture smaller every filter but Nearest averages
// over all the pixels that fall together (antialias). It panics if a size is
// not positive.
func (m *Image) Resize(width, height int, filter Filter) *Image {
	return m.resizePart(width, height, filter, box{0, 0, width, height})
}

// box is a part of a picture: its upper left corner and its size.
type box struct{ x, y, width, height int }

// resizePart returns a part of Resize's result. It computes only the pixels of
// that part, from only the source pixels that they depend on: a strip of 1 ×
// 20,000 pixels at 224 × 4,480,000 costs no more than the 224 × 224 that are
// kept. The part has to be inside the result and must not be empty.
func (m *Image) resizePart(width, height int, filter Filter, part box) *Image {
	if width <= 0 || height <= 0 {
		panic(fmt.Sprintf("imageproc: resize to %d × %d", width, height))
	}
	if width == m.Width && height == m.Height {
		return m.cut(part.x, part.y, part.width, part.height)
	}
	if filter == Nearest {
		return m.resizeNearest(width, height, part)
	}
	// The samples between the passes are rounded, so their order shows. This is
	// Pillow 13's rule, found by trying 5,000 sizes; before 13 it was always
	// horizontal first, which gives values up to 1 or so apart.
	lost := m.Height - height
	verticalFirst := lost > 0 && lost > 2*(m.Width-width)

	// A direction in which the size stays the same is left out.
	source := box{part.x, part.y, part.width, part.height}
	var columns, rows []window
	if width != m.Width {
		columns = coefficients(m.Width, width, filter, part.x, part.width)
		source.x, source.width = moveToStart(columns)
	}
	if height != m.Height {
		rows = coefficients(m.Height, height, filter, part.y, part.height)
		source.y, source.height = moveToStart(rows)
	}
	if source != (box{0, 0, m.Width, m.Height}) {
		m = m.cut(source.x, source.y, source.width, source.height)
	}
	if verticalFirst && rows != nil {
		m = m.resizeVertical(rows)
	}
	if columns != nil {
		m = m.resizeHorizontal(columns)
	}
	if !verticalFirst && rows != nil {
		m = m.resizeVertical(rows)
	}
	return m
}

// resizeNearest is ImagingScaleAffine (Geometry.c). Positions are summed up,
// not multiplied, because PIL's rounding errors count too.
func (m *Image) resizeNearest(width, height int, part box) *Image {
	positions := func(from, to, first, count int) []int {
		step := float64(from) / float64(to)
		at := step * 0.5
		index := make([]int, 0, count)
		for i := range first + count {
			if i >= first {
				index = append(index, min(int(at), from-1))
			}
			at += step
		}
		return index
	}
	columns, rows := positions(m.Width, width, part.x, part.width), positions(m.Height, height, part.y, part.height)
	out := newImage(part.width, part.height, m.Channels)
	to := 0
	for _, y := range rows {
		for _, x := range columns {
			from := (y*m.Width + x) * m.Channels
			to += copy(out.Pix[to:to+m.Channels], m.Pix[from:])
		}
	}
	return out
}

// precisionBits is how many binary places PIL's integer weights have:
// PRECISION_BITS of Resample.c.
const precisionBits = 32 - 8 - 2

// window says which samples, with which weights, make one sample of the result.
type window struct {
	start   int
	weights []int32
}

// moveToStart makes windows relative to the first sample that any of them reads,
// and returns which samples they read.
func moveToStart(list []window) (start, count int) {
	start = list[0].start
	end := start
	for _, w := range list {
		end = max(end, w.start+len(w.weights)) // starts never go down, but ends may at a border
	}
	for i := range list {
		list[i].start -= start
	}
	return start, end - start
}

// coefficients is precompute_coeffs and normalize_coeffs_8bpc of Resample.c for
// count samples of the result from the one numbered first. The products are
// converted to float64 so that no compiler fuses them with a sum: PIL's builds
// round both.
func coefficients(from, to int, filter Filter, first, count int) []window {
	support, weight := filter.kernel()
	scale := float64(from) / float64(to)
	filterScale := max(scale, 1)
	support *= filterScale
	inverse := 1 / filterScale

	list := make([]window, count)
	var weights []float64
	for i := range list {
		center := float64((float64(first+i) + 0.5) * scale)
		start := max(int(center-support+0.5), 0)
		end := min(int(center+support+0.5), from)
		weights = weights[:0]
		sum := 0.0
		for x := start; x < end; x++ {
			w := weight(float64((float64(x) - center + 0.5) * inverse))
			weights = append(weights, w)
			sum += w
		}
		fixed := make([]int32, len(weights))
		for j, w := range weights {
			if sum != 0 {
				w /= sum
			}
			w = math.Ldexp(w, precisionBits)
			fixed[j] = int32(w + math.Copysign(0.5, w))
		}
		list[i] = window{start, fixed}
	}
	return list
}

func (m *Image) resizeHorizontal(columns []window) *Image {
	out := newImage(len(columns), m.Height, m.Channels)
	half := int32(1) << (precisionBits - 1)
	to := 0
	for y := range m.Height {
		row := m.Pix[y*m.Width*m.Channels : (y+1)*m.Width*m.Channels]
		for _, w := range columns {
			if m.Channels == 1 {
				sum := half
				for i, weight := range w.weights {
					sum += weight * int32(row[w.start+i])
				}
				out.Pix[to] = clip8(sum)
				to++
				continue
			}
			r, g, b := half, half, half
			p := row[3*w.start : 3*(w.start+len(w.weights))]
			for i, weight := range w.weights {
				r += weight * int32(p[3*i])
				g += weight * int32(p[3*i+1])
				b += weight * int32(p[3*i+2])
			}
			out.Pix[to], out.Pix[to+1], out.Pix[to+2] = clip8(r), clip8(g), clip8(b)
			to += 3
		}
	}
	return out
}

func (m *Image) resizeVertical(rows []window) *Image {
	stride := m.Width * m.Channels
	out := newImage(m.Width, len(rows), m.Channels)
	sums := make([]int32, stride)
	for y, w := range rows {
		for x := range sums {
			sums[x] = 1 << (precisionBits - 1)
		}
		for i, weight := range w.weights {
			row := m.Pix[(w.start+i)*stride : (w.start+i+1)*stride]
			for x, v := range row {
				sums[x] += weight * int32(v)
			}
		}
		for x, sum := range sums {
			out.Pix[y*stride+x] = clip8(sum)
		}
	}
	return out
}

func clip8(sum int32) uint8 { return uint8(min(max(sum>>precisionBits, 0), 255)) }

// kernel returns a filter's support at scale 1 and its weight at a distance, as
// Resample.c defines them.
func (f Filter) kernel() (support float64, weight func(float64) float64) {
	switch f {
	case Box:
		return 0.5, boxWeight
	case Bilinear:
		return 1, bilinearWeight
	case Hamming:
		return 1, hammingWeight
	case Bicubic:
		return 2, bicubicWeight
	case Lanczos:
		return 3, lanczosWeight
	}
	panic(fmt.Sprintf("imageproc: no such filter: %d", int(f)))
}

func boxWeight(x float64) float64 {
	if x > -0.5 && x <= 0.5 {
		return 1
	}
	return 0
}

func bilinearWeight(x float64) float64 { return max(0, 1-math.Abs(x)) }

func hammingWeight(x float64) float64 {
	x = math.Abs(x)
	if x == 0 {
		return 1
	}
	if x >= 1 {
		return 0
	}
	x *= math.Pi
	return math.Sin(x) / x * (0.54 + float64(0.46*math.Cos(x)))
}

// bicubicWeight is Keys' filter with a = -0.5.
func bicubicWeight(x float64) float64 {
	const a = -0.5
	x = math.Abs(x)
	if x < 1 {
		return float64((float64((a+2)*x)-(a+3))*x)*x + 1
	}
	if x < 2 {
		return float64((float64((float64((x-5)*x)+8)*x) - 4) * a)
	}
	return 0
}

func lanczosWeight(x float64) float64 {
	if x < -3 || x >= 3 {
		return 0
	}
	return sinc(x) * sinc(x/3)
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	x *= math.Pi
	return math.Sin(x) / x
}
