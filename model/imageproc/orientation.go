package imageproc

import (
	"bytes"
	"regexp"

	"github.com/imprompt/imprompt/model/imageproc/exif"
)

// orientation returns a file's orientation, 1 (as it is) to 8: EXIF's, or where
// there is none XMP's, as PIL.ImageOps.exif_transpose finds it.
func orientation(file []byte) int {
	f := exif.Read(file)
	if o, ok := f.Tags.Integer(exif.Orientation); ok {
		if o < 1 || o > 8 {
			return 1
		}
		return o
	}
	if m := xmpOrientation.FindSubmatch(f.XMP); m != nil {
		return int(m[1][0] - '0')
	}
	return 1
}

// OddOrientation reports whether a file is turned in a way that not every browser
// follows: all of them know only a JPEG's EXIF, and there only the usual width of
// its number.
func OddOrientation(file []byte) bool {
	usual := bytes.HasPrefix(file, []byte("\xff\xd8")) && exif.Read(file).Tags.Short(exif.Orientation)
	return orientation(file) != 1 && !usual
}

// xmpOrientation finds tiff:Orientation as an attribute or as an element.
var xmpOrientation = regexp.MustCompile(`tiff:Orientation\s*(?:=\s*["']|>)\s*([1-8])`)

// turn undoes an EXIF orientation, as PIL.ImageOps.exif_transpose.
func (m *Image) turn(orientation int) *Image {
	if orientation == 1 {
		return m
	}
	w, h := m.Width, m.Height
	if orientation >= 5 {
		w, h = h, w
	}
	out := newImage(w, h, m.Channels)
	to := 0
	for y := range h {
		for x := range w {
			fx, fy := x, y
			switch orientation {
			case 2: // mirrored left to right
				fx = w - 1 - x
			case 3: // upside down
				fx, fy = w-1-x, h-1-y
			case 4: // mirrored top to bottom
				fy = h - 1 - y
			case 5: // mirrored along the main diagonal
				fx, fy = y, x
			case 6: // to be turned clockwise
				fx, fy = y, w-1-x
			case 7: // mirrored along the other diagonal
				fx, fy = h-1-y, w-1-x
			case 8: // to be turned counterclockwise
				fx, fy = h-1-y, x
			}
			from := (fy*m.Width + fx) * m.Channels
			to += copy(out.Pix[to:to+m.Channels], m.Pix[from:])
		}
	}
	return out
}
