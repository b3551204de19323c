package preprocessors

import "github.com/imprompt/imprompt/model/imageproc"

// multiple is what the sides of a picture are made a multiple of, so that a network can halve it several times.
const multiple = 64

// Pad repeats a picture's outermost pixels at the right and at the bottom until its sides are multiples of 64:
// sd-webui-controlnet's resize_image_with_pad.
func Pad(m *imageproc.Image) *imageproc.Image {
	up := func(n int) int { return (n + multiple - 1) / multiple * multiple }
	out := &imageproc.Image{Width: up(m.Width), Height: up(m.Height), Channels: m.Channels}
	out.Pix = make([]uint8, 0, out.Width*out.Height*out.Channels)
	for y := range out.Height {
		row := m.Pix[min(y, m.Height-1)*m.Width*m.Channels:][:m.Width*m.Channels]
		out.Pix = append(out.Pix, row...)
		for range out.Width - m.Width {
			out.Pix = append(out.Pix, row[len(row)-m.Channels:]...)
		}
	}
	return out
}

// Grey makes a picture of the size of m from values in 0..1, of which the rows have so many. Samples are cut off, not rounded,
// as numpy's astype does. The values beyond the right and the bottom are those of Pad.
func Grey[T float32 | float64](values []T, row int, m *imageproc.Image) *imageproc.Image {
	out := &imageproc.Image{Width: m.Width, Height: m.Height, Channels: 1, Pix: make([]uint8, m.Width*m.Height)}
	for i := range out.Pix {
		out.Pix[i] = uint8(min(max(values[i/m.Width*row+i%m.Width]*255, 0), 255))
	}
	return out
}
