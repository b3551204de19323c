package maps

import (
	"math"

	"github.com/imprompt/imprompt/model/imageproc"
)

// OpenCV's resize (resize.cpp). Its results differ from PIL's, which imageproc.Image.Resize computes. The products are
// converted so that no compiler fuses them with a sum.

// step is how far apart two samples of the result are in the source. OpenCV rounds twice.
func step(from, to int) float64 { return 1 / (float64(to) / float64(from)) }

// resizeNearest is INTER_NEAREST.
func resizeNearest(m *imageproc.Image, width, height int) *imageproc.Image {
	out := &imageproc.Image{Width: width, Height: height, Channels: m.Channels, Pix: make([]uint8, 0, width*height*m.Channels)}
	dx, dy := step(m.Width, width), step(m.Height, height)
	for y := range height {
		row := min(int(float64(y)*dy), m.Height-1) * m.Width
		for x := range width {
			at := (row + min(int(float64(x)*dx), m.Width-1)) * m.Channels
			out.Pix = append(out.Pix, m.Pix[at:at+m.Channels]...)
		}
	}
	return out
}

// resizeArea is INTER_AREA for a picture that gets smaller: each sample is the mean of the area that it covers.
func resizeArea(m *imageproc.Image, width, height int) *imageproc.Image {
	dx, dy := step(m.Width, width), step(m.Height, height)
	if kx, ky := math.RoundToEven(dx), math.RoundToEven(dy); math.Abs(dx-kx) < 0x1p-52 && math.Abs(dy-ky) < 0x1p-52 {
		return shrink(m, width, height, int(kx), int(ky))
	}
	out := &imageproc.Image{Width: width, Height: height, Channels: m.Channels, Pix: make([]uint8, 0, width*height*m.Channels)}
	columns, rows := areas(m.Width, width, dx), areas(m.Height, height, dy)
	across, sum := make([]float32, width*m.Channels), make([]float32, width*m.Channels)
	for _, row := range rows {
		for i, v := range row.weights {
			source := m.Pix[(row.start+i)*m.Width*m.Channels:]
			for x, column := range columns {
				for c := range m.Channels {
					total := float32(0)
					for j, w := range column.weights {
						total += float32(float32(source[(column.start+j)*m.Channels+c]) * w)
					}
					across[x*m.Channels+c] = total
				}
			}
			for x, total := range across {
				if i == 0 {
					sum[x] = 0
				}
				sum[x] += float32(v * total)
			}
		}
		for _, v := range sum {
			out.Pix = append(out.Pix, saturate(float64(v)))
		}
	}
	return out
}

// shrink is resizeArea by whole factors.
func shrink(m *imageproc.Image, width, height, kx, ky int) *imageproc.Image {
	out := &imageproc.Image{Width: width, Height: height, Channels: m.Channels, Pix: make([]uint8, 0, width*height*m.Channels)}
	share := 1 / float32(kx*ky)
	for y := range height {
		for x := range width {
			for c := range m.Channels {
				sum := 0
				for j := range ky {
					for i := range kx {
						sum += int(m.Pix[((y*ky+j)*m.Width+x*kx+i)*m.Channels+c])
					}
				}
				v := saturate(float64(float32(sum) * share))
				if kx == 2 && ky == 2 {
					v = uint8((sum + 2) >> 2) // halves go up
				}
				out.Pix = append(out.Pix, v)
			}
		}
	}
	return out
}

// area says which samples, with which weights, make one sample of the result.
type area struct {
	start   int
	weights []float32
}

// areas is computeResizeAreaTab.
func areas(from, to int, scale float64) []area {
	list := make([]area, to)
	for i := range list {
		begin := float64(float64(i) * scale)
		end := begin + scale
		size := min(scale, float64(from)-begin)
		last := min(int(math.Floor(end)), from-1)
		first := min(int(math.Ceil(begin)), last)
		a := area{start: first}
		if float64(first)-begin > 1e-3 {
			a.start--
			a.weights = append(a.weights, float32((float64(first)-begin)/size))
		}
		for range last - first {
			a.weights = append(a.weights, float32(1/size))
		}
		if end-float64(last) > 1e-3 {
			a.weights = append(a.weights, float32(min(end-float64(last), 1, size)/size))
		}
		list[i] = a
	}
	return list
}

// cubic says which four samples make one sample of the result. Beyond the border the outermost sample stands for them.
type cubic struct {
	index   [4]int
	weights [4]float32
}

// cubics is what INTER_CUBIC reads: Keys' filter with a = -0.75.
func cubics(from, to int) []cubic {
	list := make([]cubic, to)
	scale := step(from, to)
	for i := range list {
		at := float32(float64((float64(i)+0.5)*scale) - 0.5)
		first := int(math.Floor(float64(at)))
		x := at - float32(first)
		const a = -0.75
		x1, y := x+1, 1-x
		w := &list[i].weights
		w[0] = float32((float32((float32(a*x1)-5*a)*x1)+8*a)*x1) - 4*a
		w[1] = float32(float32((float32((a+2)*x)-(a+3))*x)*x) + 1
		w[2] = float32(float32((float32((a+2)*y)-(a+3))*y)*y) + 1
		w[3] = 1 - w[0] - w[1] - w[2]
		for j := range 4 {
			list[i].index[j] = min(max(first-1+j, 0), from-1)
		}
	}
	return list
}

// resizeCubic is INTER_CUBIC, whose weights have 11 binary places.
func resizeCubic(m *imageproc.Image, width, height int) *imageproc.Image {
	const places = 11
	fixed := func(w [4]float32) (f [4]int32) {
		for i, v := range w {
			f[i] = int32(math.RoundToEven(float64(v * (1 << places))))
		}
		return f
	}
	stride := width * m.Channels
	across := make([]int32, m.Height*stride)
	for x, column := range cubics(m.Width, width) {
		w := fixed(column.weights)
		for y := range m.Height {
			for c := range m.Channels {
				sum := int32(0)
				for j, from := range column.index {
					sum += w[j] * int32(m.Pix[(y*m.Width+from)*m.Channels+c])
				}
				across[y*stride+x*m.Channels+c] = sum
			}
		}
	}
	out := imageOf(width, height, m.Channels)
	for y, row := range cubics(m.Height, height) {
		w := fixed(row.weights)
		for x := range stride {
			var samples [4]int32
			for j, from := range row.index {
				samples[j] = across[from*stride+x]
			}
			out.Pix[y*stride+x] = cubicSample(samples, w, x < stride&^7)
		}
	}
	return out
}

// cubicSample adds four samples of a column up. OpenCV does that for eight columns at a time in float32, and for those that
// are left over in integers, which round halves up.
func cubicSample(samples, weights [4]int32, eight bool) uint8 {
	if !eight {
		sum := int64(1 << 21)
		for j, s := range samples {
			sum += int64(s) * int64(weights[j])
		}
		return uint8(min(max(sum>>22, 0), 255))
	}
	sum := float32(0)
	for j := 3; j >= 0; j-- {
		sum += float32(float32(samples[j]) * (float32(weights[j]) * 0x1p-22))
	}
	return saturate(float64(sum))
}

// resizeNoise is INTER_CUBIC of float64 samples.
func resizeNoise(noise []float64, fromWidth, fromHeight, width, height int) []float64 {
	across := make([]float64, fromHeight*width)
	for x, column := range cubics(fromWidth, width) {
		for y := range fromHeight {
			sum := 0.0
			for j, from := range column.index {
				sum += float64(noise[y*fromWidth+from] * float64(column.weights[j]))
			}
			across[y*width+x] = sum
		}
	}
	out := make([]float64, 0, height*width)
	for _, row := range cubics(fromHeight, height) {
		for x := range width {
			sum := 0.0
			for j, from := range row.index {
				sum += float64(across[from*width+x] * float64(row.weights[j]))
			}
			out = append(out, sum)
		}
	}
	return out
}

// saturate rounds to an 8-bit sample, halves to even.
func saturate(v float64) uint8 { return uint8(min(max(math.RoundToEven(v), 0), 255)) }
