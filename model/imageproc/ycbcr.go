package imageproc

import "image"

// fromYCbCr converts a JPEG's planes as libjpeg-turbo does, which PIL uses:
// colours that were stored at half the width, or half of both, are interpolated
// ("fancy upsampling"), and the conversion is in its fixed-point arithmetic.
func fromYCbCr(s *image.YCbCr) *Image {
	width, height := s.Rect.Dx(), s.Rect.Dy()
	m := newImage(width, height, 3)
	cb := upsampler{s.Cb, s.CStride, s.SubsampleRatio, width, height}
	cr := upsampler{s.Cr, s.CStride, s.SubsampleRatio, width, height}
	lineB, lineR := make([]uint8, width+2), make([]uint8, width+2)
	for y := range height {
		cb.row(lineB, y)
		cr.row(lineR, y)
		luma := s.Y[y*s.YStride:]
		out := m.Pix[3*y*width:]
		for x := range width {
			out[3*x], out[3*x+1], out[3*x+2] = ycc(int32(luma[x]), int32(lineB[x])-128, int32(lineR[x])-128)
		}
	}
	return m
}

// ycc is the conversion of jdcolor.c, with 16 binary places.
func ycc(y, cb, cr int32) (r, g, b uint8) {
	const half = 1 << 15
	return clamp8(y + (91881*cr+half)>>16),
		clamp8(y + (-22554*cb-46802*cr+half)>>16),
		clamp8(y + (116130*cb+half)>>16)
}

func clamp8(v int32) uint8 { return uint8(min(max(v, 0), 255)) }

// upsampler gives a colour plane's lines at the picture's full width.
type upsampler struct {
	plane         []uint8
	stride        int
	ratio         image.YCbCrSubsampleRatio
	width, height int
}

// row writes line y into out, which has room for width + 2 samples.
func (u upsampler) row(out []uint8, y int) {
	switch u.ratio {
	case image.YCbCrSubsampleRatio444:
		copy(out, u.line(y)[:u.width])
	case image.YCbCrSubsampleRatio422:
		u.triangle(out, y)
	case image.YCbCrSubsampleRatio420:
		u.triangle2(out, y)
	case image.YCbCrSubsampleRatio440:
		u.vertical(out, y)
	default: // 4:1:1 and 4:1:0, which libjpeg does not interpolate either
		across, down := 4, 1
		if u.ratio == image.YCbCrSubsampleRatio410 {
			down = 2
		}
		line := u.line(y / down)
		for x := range u.width {
			out[x] = line[x/across]
		}
	}
}

func (u upsampler) line(y int) []uint8 { return u.plane[y*u.stride:] }

// halfWidth is how many colour samples a line has, halfHeight how many lines.
func (u upsampler) halfWidth() int  { return (u.width + 1) / 2 }
func (u upsampler) halfHeight() int { return (u.height + 1) / 2 }

// neighbours returns the colour line that holds picture line y, and the next
// nearest one; at the edge that is the line itself.
func (u upsampler) neighbours(y int) (near, far []uint8) {
	other := y/2 - 1
	if y%2 == 1 {
		other = y/2 + 1
	}
	return u.line(y / 2), u.line(min(max(other, 0), u.halfHeight()-1))
}

// triangle is h2v1_fancy_upsample of jdsample.c: three parts of the nearer
// sample, one of the farther; rounded down at even, up at odd places.
func (u upsampler) triangle(out []uint8, y int) {
	n, line := u.halfWidth(), u.line(y)
	for i := range n {
		here := 3 * int32(line[i])
		out[2*i] = uint8((here + int32(line[max(i-1, 0)]) + 1) >> 2)
		out[2*i+1] = uint8((here + int32(line[min(i+1, n-1)]) + 2) >> 2)
	}
}

// triangle2 is h2v2_fancy_upsample: the same in both directions.
func (u upsampler) triangle2(out []uint8, y int) {
	n := u.halfWidth()
	near, far := u.neighbours(y)
	column := func(i int) int32 { return 3*int32(near[i]) + int32(far[i]) }
	for i := range n {
		here := 3 * column(i)
		out[2*i] = uint8((here + column(max(i-1, 0)) + 8) >> 4)
		out[2*i+1] = uint8((here + column(min(i+1, n-1)) + 7) >> 4)
	}
}

// vertical is h1v2_fancy_upsample.
func (u upsampler) vertical(out []uint8, y int) {
	near, far := u.neighbours(y)
	bias := int32(1)
	if y%2 == 1 {
		bias = 2
	}
	for x := range u.width {
		out[x] = uint8((3*int32(near[x]) + int32(far[x]) + bias) >> 2)
	}
}
