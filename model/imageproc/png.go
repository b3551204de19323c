package imageproc

import (
	"bytes"
	"image"
	"image/png"
)

// PNG writes a picture, upright and with its transparency, as a file that
// everything reads. alpha may be nil.
func (m *Image) PNG(alpha *Image) ([]byte, error) {
	rgba := m.RGBA()
	if alpha != nil {
		for i, a := range alpha.Pix {
			rgba[4*i+3] = a
		}
	}
	var b bytes.Buffer
	err := png.Encode(&b, &image.NRGBA{Pix: rgba, Stride: 4 * m.Width, Rect: image.Rect(0, 0, m.Width, m.Height)})
	return b.Bytes(), err
}
