package maps

import "github.com/imprompt/imprompt/model/imageproc"

func imageOf(width, height, channels int) *imageproc.Image {
	return &imageproc.Image{Width: width, Height: height, Channels: channels, Pix: make([]uint8, width*height*channels)}
}

// Scribble turns edges into strokes of a broad pen, as controlnet_aux's HEDdetector does with scribble=True after it has
// found its edges: they are blurred, and what is brighter than 4 becomes white.
func Scribble(edges *imageproc.Image) *imageproc.Image {
	out := blur(edges, 3)
	for i, v := range out.Pix {
		if v > 4 {
			out.Pix[i] = 255
		} else {
			out.Pix[i] = 0
		}
	}
	return out
}

// SoftEdge blurs edges and brightens them until a straight line is white in its middle. Other
// programs make such maps with the networks HED and PiDiNet.
func SoftEdge(edges *imageproc.Image) *imageproc.Image {
	out := blur(edges, 2)
	for i, v := range out.Pix {
		out.Pix[i] = uint8(min(5*int(v), 255))
	}
	return out
}

// Tile makes a picture smaller by a rate, so that only its large forms remain: sd-webui-controlnet's tile_resample, which
// leaves a picture as it is where the rate is below 1.1.
func Tile(m *imageproc.Image, rate float64) *imageproc.Image {
	if rate < 1.1 {
		return m
	}
	return resizeArea(m, max(1, int(float64(m.Width)/rate)), max(1, int(float64(m.Height)/rate)))
}

// Palette paints squares of 64 pixels in their colours: sd-webui-controlnet's t2ia_color_grid.
func Palette(m *imageproc.Image) *imageproc.Image {
	const square = 64
	m = m.RGB()
	return resizeNearest(resizeCubic(m, max(1, m.Width/square), max(1, m.Height/square)), m.Width, m.Height)
}

// Invert exchanges black and white, for line art on white paper.
func Invert(m *imageproc.Image) *imageproc.Image {
	out := imageOf(m.Width, m.Height, m.Channels)
	for i, v := range m.Pix {
		out.Pix[i] = 255 - v
	}
	return out
}
