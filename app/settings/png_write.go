package settings

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	signature = "\x89PNG\r\n\x1a\n"

	keyA1111 = "parameters" // A1111's text
	keyJSON  = "imprompt"   // the whole Settings
)

// EncodePNG writes a picture, [height, width, 4] RGBA, as a PNG that carries
// its settings: in A1111's form in a text chunk "parameters", and completely as JSON in
// an iTXt chunk "imprompt". ReadPNG reads them back.
func EncodePNG(w io.Writer, rgba []byte, width, height int, s Settings) error {
	if width <= 0 || height <= 0 || len(rgba) != 4*width*height {
		return fmt.Errorf("a picture of %d × %d has %d bytes of RGBA; expected %d", width, height, len(rgba), 4*width*height)
	}
	texts, err := Chunks(s)
	if err != nil {
		return err
	}
	var picture bytes.Buffer
	m := &image.NRGBA{Pix: rgba, Stride: 4 * width, Rect: image.Rect(0, 0, width, height)}
	if err := png.Encode(&picture, m); err != nil {
		return fmt.Errorf("the picture cannot be written as a PNG: %w", err)
	}
	for _, part := range [][]byte{picture.Bytes()[:AfterHeader], texts, picture.Bytes()[AfterHeader:]} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// AfterHeader is the offset at which a PNG's first chunk ends and Chunks belong: before
// the pixels, so that a reader need not skip those.
const AfterHeader = len(signature) + 12 + 13

// Chunks returns the chunks with settings that EncodePNG writes. They carry s.Public().
func Chunks(s Settings) ([]byte, error) {
	s = s.Public()
	whole, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("the settings cannot be written as JSON: %w", err)
	}
	return appendChunk(appendText(nil, keyA1111, s.Format()), "iTXt", internationalText(keyJSON, string(whole))), nil
}

// Chunk returns an iTXt chunk with a text under another key than those of Chunks.
func Chunk(key, text string) []byte { return appendChunk(nil, "iTXt", internationalText(key, text)) }

// appendText appends a text as PIL does, and therefore A1111: as tEXt if all of it is
// Latin-1, otherwise as iTXt. Latin-1 that could be taken for UTF-8 is iTXt, too.
func appendText(b []byte, key, text string) []byte {
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.ReplaceAll(text, "\x00", "") // would end a tEXt's keyword, and is allowed in neither
	latin := []byte(key + "\x00")
	for _, r := range text {
		if r > 0xff {
			return appendChunk(b, "iTXt", internationalText(key, text))
		}
		latin = append(latin, byte(r))
	}
	if len(latin) != len(key)+1+len(text) && utf8.Valid(latin) {
		return appendChunk(b, "iTXt", internationalText(key, text))
	}
	return appendChunk(b, "tEXt", latin)
}

// internationalText returns the content of an iTXt chunk: the keyword, no compression,
// no language, no translated keyword, and the text in UTF-8.
func internationalText(key, text string) []byte {
	return []byte(key + "\x00" + "\x00\x00" + "\x00" + "\x00" + text)
}

func appendChunk(b []byte, kind string, data []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	start := len(b)
	b = append(b, kind...)
	b = append(b, data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[start:]))
}
