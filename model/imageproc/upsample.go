package imageproc

import (
	"image"

	"github.com/imprompt/imprompt/model/imageproc/jpeg"
)

// upsampler gives a colour plane's lines at the picture's full width, each
// sample three parts of the nearer stored one and one part of the farther.
type upsampler struct {
	stride        int
	ratio         image.YCbCrSubsampleRatio
	webp          bool
	width, height int // of the picture
}

// row writes line y of the picture into out, which has room for one sample more
// than the width.
func (u upsampler) row(out, plane []uint8, y int) {
	near, far := u.lines(plane, y)
	n := (u.width + 1) / 2
	switch u.ratio {
	case image.YCbCrSubsampleRatio444:
		copy(out, plane[y*u.stride:][:u.width])
	case image.YCbCrSubsampleRatio422:
		fancyH2V1(out, plane[y*u.stride:][:n])
	case image.YCbCrSubsampleRatio440:
		fancyH1V2(out[:u.width], near, far, y)
	case image.YCbCrSubsampleRatio420:
		if u.webp {
			fancyWebP(out, near[:n], far[:n])
		} else {
			fancyH2V2(out, near[:n], far[:n])
		}
	default: // 4:1:1 and 4:1:0, which libjpeg does not interpolate either
		down := 1
		if u.ratio == image.YCbCrSubsampleRatio410 {
			down = 2
		}
		line := plane[y/down*u.stride:]
		for x := range u.width {
			out[x] = line[x/4]
		}
	}
}

// lines returns the line of a plane of half the height that holds line y, and
// the next nearest one; at an edge of the picture that is the line itself.
func (u upsampler) lines(plane []uint8, y int) (near, far []uint8) {
	if u.ratio != image.YCbCrSubsampleRatio420 && u.ratio != image.YCbCrSubsampleRatio440 {
		return nil, nil
	}
	other := y/2 - 1
	if y%2 == 1 {
		other = y/2 + 1
	}
	other = min(max(other, 0), (u.height+1)/2-1)
	return plane[y/2*u.stride:], plane[other*u.stride:]
}

// planeRow writes line y of a JPEG's plane at the picture's full width into out,
// which has room for one sample more than the width. Planes of half the width,
// height or both are interpolated; others repeat their samples (libjpeg's
// jdsample.c, jinit_upsampler).
func planeRow(out []uint8, p *jpeg.Picture, plane *jpeg.Plane, y int) {
	line := func(y int) []uint8 {
		y = min(max(y, 0), plane.Height-1)
		return plane.Pix[y*plane.Stride:][:plane.Width]
	}
	h2, v2 := p.MaxH == 2*plane.H, p.MaxV == 2*plane.V
	near, far := line(y/2), line(y/2-1+y%2*2)
	switch {
	case h2 && p.MaxV == plane.V && plane.Width > 2:
		fancyH2V1(out, line(y))
	case v2 && p.MaxH == plane.H:
		fancyH1V2(out[:p.Width], near, far, y)
	case h2 && v2 && plane.Width > 2:
		fancyH2V2(out, near, far)
	default:
		from := line(y * plane.V / p.MaxV)
		for x := range p.Width {
			out[x] = from[x*plane.H/p.MaxH]
		}
	}
}

// fancyH2V1 is h2v1_fancy_upsample of libjpeg's jdsample.c: rounded down at
// even places, up at odd ones.
func fancyH2V1(out, line []uint8) {
	last := len(line) - 1
	for i, v := range line {
		here := 3 * int32(v)
		out[2*i] = uint8((here + int32(line[max(i-1, 0)]) + 1) >> 2)
		if 2*i+1 < len(out) {
			out[2*i+1] = uint8((here + int32(line[min(i+1, last)]) + 2) >> 2)
		}
	}
}

// fancyH1V2 is h1v2_fancy_upsample.
func fancyH1V2(out, near, far []uint8, y int) {
	bias := int32(1)
	if y%2 == 1 {
		bias = 2
	}
	for x := range out {
		out[x] = uint8((3*int32(near[x]) + int32(far[x]) + bias) >> 2)
	}
}

// fancyH2V2 is h2v2_fancy_upsample.
func fancyH2V2(out, near, far []uint8) {
	last := len(near) - 1
	column := func(i int) int32 { return 3*int32(near[i]) + int32(far[i]) }
	for i := range near {
		here := 3 * column(i)
		out[2*i] = uint8((here + column(max(i-1, 0)) + 8) >> 4)
		if 2*i+1 < len(out) {
			out[2*i+1] = uint8((here + column(min(i+1, last)) + 7) >> 4)
		}
	}
}

// fancyWebP is UpsampleRgbLinePair of libwebp's dsp/upsampling.c.
func fancyWebP(out, near, far []uint8) {
	last := len(near) - 1
	// mix interpolates towards the column j from the column i.
	mix := func(i, j int) uint8 {
		if j < 0 || j > last {
			return uint8((3*int32(near[i]) + int32(far[i]) + 2) >> 2)
		}
		a, b, c, d := int32(near[i]), int32(near[j]), int32(far[i]), int32(far[j])
		diagonal := (a + b + c + d + 8 + 2*(b+c)) >> 3
		return uint8((diagonal + a) >> 1)
	}
	for i := range near {
		out[2*i] = mix(i, i-1)
		if 2*i+1 < len(out) {
			out[2*i+1] = mix(i, i+1)
		}
	}
}
