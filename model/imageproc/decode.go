package imageproc

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"strings"

	_ "golang.org/x/image/webp"
)

// MaxPixels is the size of the largest picture that Decode accepts, 64 Mpx: a
// larger one would take a browser tab's memory.
const MaxPixels = 64 << 20

// ErrFormat says that a file is of a kind that Decode does not know.
var ErrFormat = errors.New("not a picture that can be read")

// Decode reads a PNG, JPEG, GIF or WebP file as mode RGB, the way
// diffusers.utils.load_image does: turned as its EXIF orientation says, and
// without its transparency (the colours under it show, as with PIL's
// convert("RGB"); they are not blended with anything). Of an animation it takes
// the first picture. 16-bit samples lose their lower half (PIL does so with
// colour; 16-bit grey it clips to white, which is not imitated).
//
// Files without loss decode to PIL's pixels exactly; JPEG and WebP with loss
// within the rounding of a decoder's inverse transform.
func Decode(file []byte) (*Image, error) {
	config, format, err := check(file)
	if err != nil {
		return nil, err
	}
	decoded, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, explain(file, err)
	}
	var m *Image
	switch s := decoded.(type) {
	case *image.YCbCr:
		m = fromYCbCr(s, format == "webp")
	case *image.NYCbCrA:
		m = fromYCbCr(&s.YCbCr, true)
	default:
		m = toRGB(decoded, config.Width, config.Height)
	}
	return m.turn(orientation(file, format)), nil
}

// Check says, from the file's head alone, why Decode would refuse it.
func Check(file []byte) error {
	_, _, err := check(file)
	return err
}

func check(file []byte) (image.Config, string, error) {
	config, format, err := image.DecodeConfig(bytes.NewReader(file))
	switch {
	case err != nil:
		err = explain(file, err)
	case config.Width <= 0 || config.Height <= 0:
		err = fmt.Errorf("this %s picture is empty: %d × %d pixels", strings.ToUpper(format), config.Width, config.Height)
	case config.Width > MaxPixels/config.Height:
		err = fmt.Errorf("this picture has %d × %d pixels, more than the %d million that fit; make it smaller in a picture editor",
			config.Width, config.Height, MaxPixels>>20)
	}
	return config, format, err
}

// explain puts a decoder's error into words.
func explain(file []byte, err error) error {
	switch {
	case len(file) == 0:
		return errors.New("this file is empty; choose a PNG, JPEG, GIF or WebP picture")
	case errors.Is(err, image.ErrFormat):
		return fmt.Errorf("this file is %w%s; choose a PNG, JPEG, GIF or WebP file", ErrFormat, looksLike(file))
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || strings.Contains(err.Error(), "not enough pixel data"):
		return errors.New("this picture's file is cut off; download or export it again")
	}
	return fmt.Errorf("this picture's file is damaged (%w); download or export it again", err)
}

// looksLike names kinds of files that people take for pictures.
func looksLike(file []byte) string {
	head := file[:min(len(file), 512)]
	switch {
	case len(head) >= 12 && string(head[4:8]) == "ftyp":
		return fmt.Sprintf(" (it looks like HEIC, AVIF or a film: %q)", head[8:12])
	case bytes.HasPrefix(head, []byte("II*\x00")) || bytes.HasPrefix(head, []byte("MM\x00*")):
		return " (it looks like TIFF or a camera's raw file)"
	case bytes.HasPrefix(head, []byte("BM")):
		return " (it looks like BMP)"
	case bytes.Contains(head, []byte("<svg")):
		return " (it looks like SVG)"
	case bytes.HasPrefix(head, []byte("%PDF")):
		return " (it looks like PDF)"
	}
	return ""
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
	case *image.RGBA: // opaque: Go's decoders give this type only to such files
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
	case *image.RGBA64: // opaque, like RGBA
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
