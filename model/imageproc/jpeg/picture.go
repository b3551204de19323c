package jpeg

import (
	"errors"
	"fmt"
)

// Picture is a decoded file.
type Picture struct {
	Width, Height int
	MaxH, MaxV    int // the largest sampling factors of all planes
	Planes        []Plane
	Colour        Colour
}

// Plane is one component. A sample stands for MaxH/H × MaxV/V pixels, which need
// not be a whole number.
type Plane struct {
	H, V          int     // sampling factors, 1 to 4
	Width, Height int     // in samples
	Stride        int     // samples from one row to the next; at least Width
	Pix           []uint8 // [rows, Stride], at least Height rows

	id      uint8
	table   uint8
	rows    int // of blocks, padded to whole MCUs
	columns int
	coeffs  []int16 // [rows, columns, 64] in natural order, until the end
}

// Colour says what the planes mean.
type Colour int

const (
	Grey Colour = iota
	YCbCr
	RGB
	CMYK // stored inverted, as Adobe's programs do: 255 is no ink
	YCCK // as CMYK, with the first three planes converted to YCbCr
)

var (
	// ErrCutOff says that a file ends too early.
	ErrCutOff = errors.New("this JPEG is cut off")
	errBad    = errors.New("a JPEG that breaks the format's rules")
)

// UnsupportedError names a part of the format that this package does not read.
type UnsupportedError string

func (e UnsupportedError) Error() string { return fmt.Sprintf("%s is not supported", string(e)) }

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errBad, fmt.Sprintf(format, args...))
}

// colour follows libjpeg (jdapimin.c, default_decompress_parms).
func (d *decoder) colour() (Colour, error) {
	ids := func(a, b, c uint8) bool {
		p := d.pic.Planes
		return p[0].id == a && p[1].id == b && p[2].id == c
	}
	switch len(d.pic.Planes) {
	case 1:
		return Grey, nil
	case 3:
		switch {
		case d.jfif:
			return YCbCr, nil
		case d.adobe && d.transform == 0, !d.adobe && ids('R', 'G', 'B'):
			return RGB, nil
		}
		return YCbCr, nil
	case 4:
		if d.adobe && d.transform == 2 {
			return YCCK, nil
		}
		return CMYK, nil
	}
	return 0, UnsupportedError(fmt.Sprintf("a JPEG of %d colour components", len(d.pic.Planes)))
}
