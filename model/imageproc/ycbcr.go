package imageproc

import (
	"image"

	"github.com/imprompt/imprompt/model/imageproc/jpeg"
)

// fromYCbCr converts the planes of a JPEG or a lossy WebP as PIL's libraries
// do: colours that were stored at a half of the size are interpolated, and the
// arithmetic is theirs. (Go's own conversion takes the nearest colour, and for
// WebP the wrong range of values.)
func fromYCbCr(s *image.YCbCr, webp bool) *Image {
	width, height := s.Rect.Dx(), s.Rect.Dy()
	m := newImage(width, height, 3)
	up := upsampler{s.CStride, s.SubsampleRatio, webp, width, height}
	convert := fromJFIF
	if webp {
		convert = fromVP8
	}
	blue, red := make([]uint8, width+1), make([]uint8, width+1)
	for y := range height {
		up.row(blue, s.Cb, y)
		up.row(red, s.Cr, y)
		luma := s.Y[y*s.YStride:]
		out := m.Pix[3*y*width:]
		for x := range width {
			out[3*x], out[3*x+1], out[3*x+2] = convert(int32(luma[x]), int32(blue[x]), int32(red[x]))
		}
	}
	return m
}

// fromPlanes converts what package jpeg decoded, as libjpeg does and PIL after it.
func fromPlanes(p *jpeg.Picture) *Image {
	width := p.Width
	m := newImage(width, p.Height, 3)
	var lines [4][]uint8
	for i := range lines {
		lines[i] = make([]uint8, width+1)
	}
	ink := func(v, black uint8) uint8 { // Convert.c, cmyk2rgb, of inverted inks
		t := uint32(255-v)*uint32(black) + 128
		return black - uint8((t+t>>8)>>8)
	}
	for y := range p.Height {
		for i := range p.Planes {
			planeRow(lines[i], p, &p.Planes[i], y)
		}
		out := m.Pix[3*y*width:]
		for x := range width {
			a, b, c, k := lines[0][x], lines[1][x], lines[2][x], lines[3][x]
			switch p.Colour {
			case jpeg.Grey:
				b, c = a, a
			case jpeg.YCbCr:
				a, b, c = fromJFIF(int32(a), int32(b), int32(c))
			case jpeg.CMYK:
				a, b, c = ink(a, k), ink(b, k), ink(c, k)
			case jpeg.YCCK:
				a, b, c = fromJFIF(int32(a), int32(b), int32(c))
				a, b, c = ink(255-a, k), ink(255-b, k), ink(255-c, k)
			}
			out[3*x], out[3*x+1], out[3*x+2] = a, b, c
		}
	}
	return m
}

// fromJFIF is the conversion of libjpeg's jdcolor.c, with 16 binary places.
func fromJFIF(y, cb, cr int32) (r, g, b uint8) {
	const half = 1 << 15
	cb, cr = cb-128, cr-128
	return clamp8(y + (91881*cr+half)>>16),
		clamp8(y + (-22554*cb-46802*cr+half)>>16),
		clamp8(y + (116130*cb+half)>>16)
}

// fromVP8 is the conversion of libwebp's dsp/yuv.h: luma from 16 to 235, with 6
// binary places.
func fromVP8(y, u, v int32) (r, g, b uint8) {
	y = y * 19077 >> 8
	return clamp8((y + v*26149>>8 - 14234) >> 6),
		clamp8((y - u*6419>>8 - v*13320>>8 + 8708) >> 6),
		clamp8((y + u*33050>>8 - 17685) >> 6)
}

func clamp8(v int32) uint8 { return uint8(min(max(v, 0), 255)) }
