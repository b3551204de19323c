package settings

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"io"

	"github.com/imprompt/imprompt/model/imageproc/exif"
)

// jpegQuality shows no loss at the size at which pictures are made.
const jpegQuality = 95

// EncodeJPEG writes a picture, [height, width, 4] RGBA, as a JPEG that carries
// its settings: in A1111's form in EXIF's UserComment, and completely as JSON in a
// comment. Read reads them back.
func EncodeJPEG(w io.Writer, rgba []byte, width, height int, s Settings) error {
	if width <= 0 || height <= 0 || len(rgba) != 4*width*height {
		return fmt.Errorf("a picture of %d × %d has %d bytes of RGBA; expected %d", width, height, len(rgba), 4*width*height)
	}
	s = s.Public()
	whole, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("the settings cannot be written as JSON: %w", err)
	}
	const app1, comment = 0xe1, 0xfe
	var head []byte
	for _, segment := range []struct {
		marker byte
		data   []byte
	}{
		{app1, append([]byte("Exif\x00\x00"), exif.Comment(s.Format())...)},
		{comment, append([]byte(keyJSON+"\x00"), whole...)},
	} {
		length := 2 + len(segment.data)
		if length > 1<<16-1 {
			return fmt.Errorf("the settings take %d kB, which is more than a JPEG holds. Shorten the prompt, or write a PNG", len(segment.data)>>10)
		}
		head = binary.BigEndian.AppendUint16(append(head, 0xff, segment.marker), uint16(length))
		head = append(head, segment.data...)
	}
	var picture bytes.Buffer
	m := &image.NRGBA{Pix: rgba, Stride: 4 * width, Rect: image.Rect(0, 0, width, height)}
	if err := jpeg.Encode(&picture, m, &jpeg.Options{Quality: jpegQuality}); err != nil {
		return fmt.Errorf("the picture cannot be written as a JPEG: %w", err)
	}
	const start = 2 // the marker that begins the file
	for _, part := range [][]byte{picture.Bytes()[:start], head, picture.Bytes()[start:]} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}
