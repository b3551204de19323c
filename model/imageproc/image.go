package imageproc

import "fmt"

// Image is a picture of 8-bit samples, as PIL's modes RGB and L hold it.
type Image struct {
	Width, Height int
	Channels      int     // 3 for RGB, 1 for L (grey)
	Pix           []uint8 // [Height, Width, Channels]
}

func newImage(width, height, channels int) *Image {
	return &Image{width, height, channels, make([]uint8, width*height*channels)}
}

// RGBA returns the picture as opaque RGBA pixels, [Height, Width, 4].
func (m *Image) RGBA() []uint8 {
	out := make([]uint8, 4*m.Width*m.Height)
	for i := range m.Width * m.Height {
		p := m.Pix[i*m.Channels:]
		r, g, b := p[0], p[0], p[0]
		if m.Channels == 3 {
			g, b = p[1], p[2]
		}
		out[4*i], out[4*i+1], out[4*i+2], out[4*i+3] = r, g, b, 0xff
	}
	return out
}

// Grey converts to mode L by ITU-R 601-2 luma, in PIL's fixed-point arithmetic
// (Convert.c, L24).
func (m *Image) Grey() *Image {
	if m.Channels == 1 {
		return m
	}
	out := newImage(m.Width, m.Height, 1)
	for i := range out.Pix {
		p := m.Pix[3*i : 3*i+3]
		out.Pix[i] = uint8((uint32(p[0])*19595 + uint32(p[1])*38470 + uint32(p[2])*7471 + 0x8000) >> 16)
	}
	return out
}

// RGB converts a grey picture to mode RGB; a colour one is returned as it is.
func (m *Image) RGB() *Image {
	if m.Channels == 3 {
		return m
	}
	out := newImage(m.Width, m.Height, 3)
	for i, v := range m.Pix {
		out.Pix[3*i], out.Pix[3*i+1], out.Pix[3*i+2] = v, v, v
	}
	return out
}

// Crop is a square part of a picture, in its own pixels after its EXIF
// orientation was applied.
type Crop struct {
	X, Y int // upper left corner
	Size int // length of a side
}

// Crop cuts a square out. It is an error if the square is empty or leaves the
// picture.
func (m *Image) Crop(c Crop) (*Image, error) {
	if c.Size <= 0 || c.X < 0 || c.Y < 0 || c.Size > m.Width-c.X || c.Size > m.Height-c.Y {
		return nil, fmt.Errorf("the crop of %d × %d pixels at (%d, %d) is not inside the picture, which has %d × %d. Choose a square within it",
			c.Size, c.Size, c.X, c.Y, m.Width, m.Height)
	}
	return m.cut(c.X, c.Y, c.Size, c.Size), nil
}

// cut returns the rectangle at (x, y); what lies outside the picture is black.
func (m *Image) cut(x, y, width, height int) *Image {
	out := newImage(width, height, m.Channels)
	left, right := max(0, -x), min(width, m.Width-x)
	for row := max(0, -y); row < min(height, m.Height-y); row++ {
		if left >= right {
			break
		}
		from := ((y+row)*m.Width + x + left) * m.Channels
		to := (row*width + left) * m.Channels
		copy(out.Pix[to:to+(right-left)*m.Channels], m.Pix[from:])
	}
	return out
}
