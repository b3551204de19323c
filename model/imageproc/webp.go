package imageproc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"golang.org/x/image/webp"

	"github.com/imprompt/imprompt/model/imageproc/exif"
)

// webpFrame is the first picture of a WebP file in the extended format, and its
// place on the file's canvas.
type webpFrame struct {
	width, height           int // of the canvas
	x, y                    int
	frameWidth, frameHeight int
	chunks                  []byte // ALPH, VP8 and VP8L
	cut                     bool   // whether the file ends within the frame
}

// firstFrame takes an extended WebP apart; ok is false for a simple one, which
// golang.org/x/image/webp reads as it is. That package does not read animations,
// nor files whose header promises an alpha that does not come.
func firstFrame(file []byte) (f webpFrame, ok bool) {
	const header = 12 // RIFF, size, WEBP
	if len(file) < header+8+10 || string(file[:4]) != "RIFF" || string(file[8:16]) != "WEBPVP8X" {
		return f, false
	}
	b := file[header+8:]
	f.width, f.height = 1+uint24(b[4:]), 1+uint24(b[7:])
	f.frameWidth, f.frameHeight = f.width, f.height
	const animation = 1 << 1
	rest := file[header:]
	if b[0]&animation != 0 {
		frame, whole := exif.Chunk(rest, "ANMF")
		f.cut = !whole
		if len(frame) < 16 {
			f.cut = true
			return f, true
		}
		f.x, f.y = 2*uint24(frame), 2*uint24(frame[3:])
		f.frameWidth, f.frameHeight = 1+uint24(frame[6:]), 1+uint24(frame[9:])
		rest = frame[16:]
	}
	for _, kind := range []string{"ALPH", "VP8 ", "VP8L"} {
		if data, whole := exif.Chunk(rest, kind); data != nil {
			f.cut = f.cut || !whole
			f.chunks = appendChunk(f.chunks, kind, data)
		}
	}
	return f, true
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

func appendChunk(b []byte, kind string, data []byte) []byte {
	b = append(b, kind...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	b = append(b, data...)
	if len(data)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

// decode makes a still file of the frame, decodes it, and puts it on its canvas.
// The canvas is transparent, as libwebp's is.
func (f webpFrame) decode() (m, alpha *Image, err error) {
	switch {
	case f.cut:
		return nil, nil, io.ErrUnexpectedEOF
	case f.chunks == nil:
		return nil, nil, errors.New("webp: there is no picture in it")
	case f.x+f.frameWidth > f.width || f.y+f.frameHeight > f.height:
		return nil, nil, errors.New("webp: its first picture is larger than all of it")
	}
	body := f.chunks
	if string(body[:4]) == "ALPH" {
		const hasAlpha = 1 << 4
		size := func(n int) []byte { return []byte{byte(n - 1), byte((n - 1) >> 8), byte((n - 1) >> 16)} }
		extended := append(append([]byte{hasAlpha, 0, 0, 0}, size(f.frameWidth)...), size(f.frameHeight)...)
		body = append(appendChunk(nil, "VP8X", extended), body...)
	}
	file := appendChunk(nil, "RIFF", append([]byte("WEBP"), body...))
	config, err := webp.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return nil, nil, err
	}
	if config.Width != f.frameWidth || config.Height != f.frameHeight {
		return nil, nil, errors.New("webp: its picture is of another size than it says")
	}
	decoded, err := webp.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, nil, err
	}
	m, alpha = fromGo(decoded, true, f.frameWidth, f.frameHeight)
	if f.frameWidth == f.width && f.frameHeight == f.height {
		return m, alpha, nil
	}
	if alpha == nil {
		alpha = newImage(f.frameWidth, f.frameHeight, 1)
		for i := range alpha.Pix {
			alpha.Pix[i] = 255
		}
	}
	return m.cut(-f.x, -f.y, f.width, f.height), alpha.cut(-f.x, -f.y, f.width, f.height), nil
}
