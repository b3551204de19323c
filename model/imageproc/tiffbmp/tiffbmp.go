package tiffbmp

import (
	"errors"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// Unsupported reports whether an error of these decoders says that a file is of a kind that
// they know and do not read. It is meant for imageproc.OtherUnsupported.
func Unsupported(err error) bool {
	var ofTIFF tiff.UnsupportedError
	return errors.As(err, &ofTIFF) || errors.Is(err, bmp.ErrUnsupported)
}
