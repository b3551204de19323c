package imageproc

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	gojpeg "image/jpeg"
	"image/png"
	"io"
	"strings"

	"github.com/imprompt/imprompt/model/imageproc/jpeg"
)

// ErrFormat says that a file is whole, as far as can be seen, but of a kind that
// Decode does not read. A browser may.
var ErrFormat = errors.New("not a picture that can be read")

// explain puts a decoder's error into words.
func explain(file []byte, err error) error {
	switch {
	case len(file) == 0:
		return errors.New("this file is empty. Choose a PNG, JPEG, GIF or WebP picture")
	case bytes.HasPrefix(file, []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x04CgBI")):
		return &formatError{"this PNG was rewritten for an iPhone's programs, and only they read it. Take the original, or open it on a Mac and export it as PNG"}
	case errors.Is(err, image.ErrFormat):
		return unknownFormat(file)
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, jpeg.ErrCutOff) || strings.Contains(err.Error(), "not enough pixel data"):
		return errors.New("this picture's file is cut off. Download or export it again")
	case unsupported(err):
		return &formatError{fmt.Sprintf("this picture is of an unusual kind that cannot be read here (%v). Open it in a picture viewer and save it as PNG or JPEG", err)}
	}
	return fmt.Errorf("this picture's file is damaged (%w). Download or export it again", err)
}

// OtherUnsupported is unsupported for decoders that are registered with package image from
// elsewhere, as package tiffbmp's are; nil where there are none.
var OtherUnsupported func(err error) bool

// unsupported says whether a decoder knows what a file is but does not read that
// kind.
func unsupported(err error) bool {
	var (
		ofPNG  png.UnsupportedError
		ofJPEG gojpeg.UnsupportedError
		ours   jpeg.UnsupportedError
	)
	return errors.As(err, &ofPNG) || errors.As(err, &ofJPEG) || errors.As(err, &ours) || OtherUnsupported != nil && OtherUnsupported(err)
}

// formatError is an ErrFormat with a sentence of its own.
type formatError struct{ text string }

func (e *formatError) Error() string        { return e.text }
func (e *formatError) Is(target error) bool { return target == ErrFormat }

// unknownFormat names the kinds of files that people take for pictures of the
// usual kinds, and says what to do with each.
func unknownFormat(file []byte) error {
	const save = "open it in a picture viewer and save it as PNG or JPEG"
	head := file[:min(len(file), 1024)]
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	starts := func(prefixes ...string) bool {
		for _, p := range prefixes {
			if bytes.HasPrefix(head, []byte(p)) {
				return true
			}
		}
		return false
	}
	kind, remedy := "", save
	switch {
	case len(head) >= 12 && string(head[4:8]) == "ftyp":
		kind = brand(head)
		if kind == "film" {
			return &formatError{"this file is a film, not a picture. Save one of its frames as PNG or JPEG"}
		}
	case starts("\xff\x0a", "\x00\x00\x00\x0cJXL "):
		kind = "JPEG XL"
	case starts("\x00\x00\x00\x0cjP  ", "\xff\x4f\xff\x51"):
		kind = "JPEG 2000"
	case starts("8BPS"):
		kind, remedy = "Photoshop", "export it as PNG or JPEG"
	case starts("gimp xcf"):
		kind, remedy = "GIMP", "export it as PNG or JPEG"
	case starts("\x00\x00\x01\x00"):
		kind = "icon (ICO)"
	case starts("%PDF"):
		kind, remedy = "PDF", "save the page as PNG or JPEG"
	case starts("II+\x00", "MM\x00+"):
		kind = "BigTIFF"
	case starts("II*\x00", "MM\x00*"):
		kind = "TIFF"
	case starts("BM"):
		kind = "BMP"
	case starts("IIRO", "IIU\x00", "FUJIFILMCCD-RAW"):
		kind, remedy = "camera's raw", "develop it in a picture editor and save it as PNG or JPEG"
	case bytes.Contains(head, []byte("<svg")):
		kind, remedy = "SVG", "export it as PNG"
	case bytes.HasPrefix(bytes.ToLower(text), []byte("<!doctype html")), bytes.HasPrefix(bytes.ToLower(text), []byte("<html")):
		return &formatError{"this file is a web page, not a picture. Save the picture itself (in a browser: right-click it, Save image as)"}
	case starts("version https://git-lfs"):
		return &formatError{"this file is a Git LFS pointer, which stands for the picture. Get the picture itself with git lfs pull"}
	}
	if kind == "" {
		return fmt.Errorf("this file is %w. Choose a PNG, JPEG, GIF or WebP file", ErrFormat)
	}
	return &formatError{fmt.Sprintf("this is a file of the kind %s, which is not read here; %s", kind, remedy)}
}

// brand names a file by the brands that its ftyp box lists.
func brand(head []byte) string {
	length := int(head[0])<<24 | int(head[1])<<16 | int(head[2])<<8 | int(head[3])
	brands := string(head[8:min(max(length, 12), len(head))])
	switch {
	case strings.Contains(brands, "avif"), strings.Contains(brands, "avis"):
		return "AVIF"
	case strings.Contains(brands, "hei"), strings.Contains(brands, "hev"), strings.Contains(brands, "mif1"), strings.Contains(brands, "msf1"):
		return "HEIC"
	case strings.Contains(brands, "crx "):
		return "camera's raw"
	}
	return "film"
}
