package imageproc

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif"
	gojpeg "image/jpeg"
	_ "image/png"
	"strings"

	_ "golang.org/x/image/webp"

	"github.com/imprompt/imprompt/model/imageproc/jpeg"
)

// MaxPixels is the size of the largest picture that Decode accepts, 64 Mpx: a
// larger one would take a browser tab's memory.
const MaxPixels = 64 << 20

// Decode reads a PNG, JPEG, GIF or WebP file, and with package tiffbmp a TIFF or BMP
// file, as mode RGB, the way
// diffusers.utils.load_image does: turned as its EXIF or XMP orientation says,
// and without its transparency (the colours under it show, as with PIL's
// convert("RGB"); DecodeAlpha and Flatten do better). Of an animation it takes
// the first picture. 16-bit samples lose their lower half (PIL does so with
// colour; 16-bit grey it clips to white, which is not imitated).
//
// Files without loss decode to PIL's pixels exactly; JPEG and WebP with loss
// within the rounding of a decoder's inverse transform.
func Decode(file []byte) (*Image, error) {
	m, _, err := DecodeAlpha(file)
	return m, err
}

// DecodeAlpha is Decode with the picture's transparency beside its colours: a
// grey picture of the same size where 255 is opaque, or nil if all of the
// picture is.
func DecodeAlpha(file []byte) (m, alpha *Image, err error) {
	width, height, format, err := check(file)
	if err != nil {
		return nil, nil, err
	}
	m, alpha, err = decodePixels(file, format, width, height)
	if err != nil {
		return nil, nil, explain(file, err)
	}
	turned := orientation(file)
	if alpha != nil {
		alpha = alpha.turn(turned)
	}
	return m.turn(turned), alpha, nil
}

// Flatten lays the picture on a background of one colour, as PIL's paste with
// the alpha as its mask does. Without alpha it is the picture itself.
func (m *Image) Flatten(alpha *Image, background [3]uint8) *Image {
	if alpha == nil {
		return m
	}
	out := newImage(m.Width, m.Height, 3)
	for i, v := range m.RGB().Pix {
		a := uint32(alpha.Pix[i/3])
		t := uint32(v)*a + uint32(background[i%3])*(255-a) + 128
		out.Pix[i] = uint8((t + t>>8) >> 8)
	}
	return out
}

// Check says, from the file's head alone, why Decode would refuse it.
func Check(file []byte) error {
	_, _, _, err := check(file)
	return err
}

func check(file []byte) (width, height int, format string, err error) {
	width, height, format, err = size(file)
	switch {
	case err != nil:
		err = explain(file, err)
	case width <= 0 || height <= 0:
		err = fmt.Errorf("this %s picture is empty: %d × %d pixels", strings.ToUpper(format), width, height)
	case width > MaxPixels/height:
		err = fmt.Errorf("this picture has %d × %d pixels, more than the %d million that fit. Make it smaller in a picture editor",
			width, height, MaxPixels>>20)
	}
	return width, height, format, err
}

// size reads a picture's size as it is stored, before its orientation.
func size(file []byte) (width, height int, format string, err error) {
	if frame, ok := firstFrame(file); ok {
		return frame.width, frame.height, "webp", nil
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(file))
	if refused(err) {
		width, height, err = jpeg.Size(file)
		return width, height, "jpeg", err
	}
	return config.Width, config.Height, format, err
}

// refused says whether the standard library knows a JPEG's kind but does not
// read it; package jpeg may.
func refused(err error) bool {
	var unsupported gojpeg.UnsupportedError
	return errors.As(err, &unsupported)
}

func decodePixels(file []byte, format string, width, height int) (m, alpha *Image, err error) {
	if frame, ok := firstFrame(file); ok {
		return frame.decode()
	}
	decoded, _, err := image.Decode(bytes.NewReader(file))
	if refused(err) {
		var p *jpeg.Picture
		if p, err = jpeg.Decode(file, MaxPixels); err == nil {
			return fromPlanes(p), nil, nil
		}
	}
	if err != nil {
		return nil, nil, err
	}
	m, alpha = fromGo(decoded, format == "webp", width, height)
	return m, alpha, nil
}

// fromGo converts what Go's decoders return.
func fromGo(decoded image.Image, webp bool, width, height int) (m, alpha *Image) {
	switch s := decoded.(type) {
	case *image.YCbCr:
		return fromYCbCr(s, webp), nil
	case *image.NYCbCrA:
		return fromYCbCr(&s.YCbCr, true), alphaOf(decoded, width, height)
	}
	return toRGB(decoded, width, height), alphaOf(decoded, width, height)
}

// alphaOf returns a picture's transparency, or nil if it has none. What a GIF's
// first frame leaves out is transparent.
func alphaOf(src image.Image, width, height int) *Image {
	b := src.Bounds()
	if o, ok := src.(interface{ Opaque() bool }); ok && o.Opaque() && b == image.Rect(0, 0, width, height) {
		return nil
	}
	at := func(x, y int) uint8 {
		_, _, _, a := src.At(x, y).RGBA()
		return uint8(a >> 8)
	}
	if s, ok := src.(*image.NRGBA); ok { // most are of this kind
		at = func(x, y int) uint8 { return s.Pix[s.PixOffset(x, y)+3] }
	}
	out := newImage(width, height, 1)
	b = b.Intersect(image.Rect(0, 0, width, height))
	transparent := b != image.Rect(0, 0, width, height)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			a := at(x, y)
			out.Pix[y*width+x] = a
			transparent = transparent || a != 255
		}
	}
	if !transparent {
		return nil
	}
	return out
}

// toRGB copies the colours of a decoded picture onto a canvas of the file's
// size; a GIF's first frame may be smaller than that.
func toRGB(src image.Image, width, height int) *Image {
	m := newImage(width, height, 3)
	b := src.Bounds().Intersect(image.Rect(0, 0, width, height))
	at := samplerOf(src)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			i := 3 * (y*width + x)
			m.Pix[i], m.Pix[i+1], m.Pix[i+2] = at(x, y)
		}
	}
	return m
}

// samplerOf returns what reads one pixel's colour, alpha dropped.
func samplerOf(src image.Image) func(x, y int) (r, g, b uint8) {
	switch s := src.(type) {
	case *image.NRGBA:
		return func(x, y int) (r, g, b uint8) {
			p := s.Pix[s.PixOffset(x, y):]
			return p[0], p[1], p[2]
		}
	case *image.RGBA:
		if !s.Opaque() { // a TIFF's alpha that is multiplied into its colours
			break
		}
		return func(x, y int) (r, g, b uint8) {
			p := s.Pix[s.PixOffset(x, y):]
			return p[0], p[1], p[2]
		}
	case *image.Gray:
		return func(x, y int) (r, g, b uint8) {
			v := s.Pix[s.PixOffset(x, y)]
			return v, v, v
		}
	case *image.Gray16:
		return func(x, y int) (r, g, b uint8) {
			v := s.Pix[s.PixOffset(x, y)]
			return v, v, v
		}
	case *image.NRGBA64:
		return func(x, y int) (r, g, b uint8) {
			p := s.Pix[s.PixOffset(x, y):]
			return p[0], p[2], p[4]
		}
	case *image.RGBA64:
		if !s.Opaque() {
			break
		}
		return func(x, y int) (r, g, b uint8) {
			p := s.Pix[s.PixOffset(x, y):]
			return p[0], p[2], p[4]
		}
	case *image.Paletted:
		colours := make([][3]uint8, 256)
		for i, c := range s.Palette {
			n := color.NRGBAModel.Convert(c).(color.NRGBA)
			if exact, ok := c.(color.NRGBA); ok {
				n = exact // the model makes black of what is wholly transparent
			}
			colours[i] = [3]uint8{n.R, n.G, n.B}
		}
		return func(x, y int) (r, g, b uint8) {
			c := colours[s.Pix[s.PixOffset(x, y)]]
			return c[0], c[1], c[2]
		}
	case *image.CMYK:
		return func(x, y int) (r, g, b uint8) {
			p := s.Pix[s.PixOffset(x, y):]
			k := 255 - uint32(p[3])
			ink := func(c uint8) uint8 { // Convert.c, cmyk2rgb
				t := uint32(c)*k + 128
				return uint8(k - ((t>>8)+t)>>8)
			}
			return ink(p[0]), ink(p[1]), ink(p[2])
		}
	}
	return func(x, y int) (r, g, b uint8) {
		c := color.NRGBAModel.Convert(src.At(x, y)).(color.NRGBA)
		return c.R, c.G, c.B
	}
}
