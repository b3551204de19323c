package exif

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/hex"
	"io"
)

// Tags that are of use here.
const (
	Orientation = 0x0112
	UserComment = 0x9286
	// Description, Make, Model and XPComment are where programs put texts of their
	// own.
	Description = 0x010e
	Make        = 0x010f
	Model       = 0x0110
	XPComment   = 0x9c9c

	xmpTag       = 0x02bc
	subDirectory = 0x8769
)

// File is a file's metadata.
type File struct {
	Tags Tags
	XMP  []byte
	// Comments are the contents of a JPEG's comment segments.
	Comments [][]byte
}

// Read finds the metadata of a JPEG, PNG, WebP or TIFF file. What cannot be read
// is left out.
func Read(file []byte) File {
	switch {
	case bytes.HasPrefix(file, []byte("\xff\xd8")):
		return ofJPEG(file)
	case bytes.HasPrefix(file, []byte("\x89PNG\r\n\x1a\n")):
		return ofPNG(file)
	case len(file) >= 12 && string(file[:4]) == "RIFF" && string(file[8:12]) == "WEBP":
		return ofWebP(file)
	}
	tags := Parse(file) // a TIFF is such a block itself
	xmp, _ := tags.Bytes(xmpTag)
	return File{Tags: tags, XMP: xmp}
}

// ofJPEG takes the first segment of each kind.
func ofJPEG(file []byte) (f File) {
	var exif []byte
	for rest := file[2:]; len(rest) >= 4 && rest[0] == 0xff; {
		marker := rest[1]
		if marker == 0xff { // a fill byte
			rest = rest[1:]
			continue
		}
		if marker == 0xda || marker == 0xd9 { // the picture itself
			break
		}
		length := int(binary.BigEndian.Uint16(rest[2:])) + 2
		if length < 4 || length > len(rest) {
			break
		}
		segment := rest[4:length]
		const app1, comment = 0xe1, 0xfe
		switch {
		case marker == app1 && exif == nil && bytes.HasPrefix(segment, []byte("Exif\x00\x00")):
			exif = segment
		case marker == app1 && f.XMP == nil && bytes.HasPrefix(segment, []byte("http://ns.adobe.com/xap/1.0/\x00")):
			f.XMP = segment
		case marker == comment:
			f.Comments = append(f.Comments, segment)
		}
		rest = rest[length:]
	}
	f.Tags = Parse(exif)
	return f
}

// ofPNG reads eXIf and XMP's text. ImageMagick writes EXIF as a text of
// hexadecimal digits.
func ofPNG(file []byte) (f File) {
	var exif []byte
	for rest := file[8:]; len(rest) >= 12; {
		length := int(binary.BigEndian.Uint32(rest))
		if length < 0 || length > len(rest)-12 {
			break
		}
		kind, data := string(rest[4:8]), rest[8:8+length]
		switch kind {
		case "eXIf":
			if exif == nil {
				exif = data
			}
		case "iTXt", "zTXt", "tEXt":
			key, _, _ := bytes.Cut(data, []byte{0})
			switch string(key) {
			case "XML:com.adobe.xmp":
				f.XMP = pngText(kind, data[len(key):])
			case "Raw profile type exif", "Raw profile type APP1":
				if exif == nil {
					exif = rawProfile(pngText(kind, data[len(key):]))
				}
			}
		}
		rest = rest[12+length:]
	}
	f.Tags = Parse(exif)
	return f
}

// pngText returns the text of a chunk, given what follows its keyword. What
// cannot be unpacked is left out.
func pngText(kind string, data []byte) []byte {
	const most = 1 << 20
	data = bytes.TrimPrefix(data, []byte{0})
	packed := kind == "zTXt"
	switch {
	case kind == "zTXt" && len(data) > 0:
		data = data[1:]
	case kind == "iTXt" && len(data) > 2:
		packed = data[0] != 0
		data = data[2:]
		for range 2 { // the language and the translated keyword
			_, data, _ = bytes.Cut(data, []byte{0})
		}
	}
	if !packed {
		return data
	}
	z, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(z, most))
	return text
}

// rawProfile decodes ImageMagick's text: a name, a length, and digits in lines.
func rawProfile(text []byte) []byte {
	lines := bytes.Split(text, []byte("\n"))
	if len(lines) < 4 {
		return nil
	}
	digits := bytes.TrimSpace(bytes.Join(lines[3:], nil))
	out := make([]byte, len(digits)/2)
	n, _ := hex.Decode(out, digits[:len(digits)&^1])
	return out[:n]
}

func ofWebP(file []byte) (f File) {
	exif, _ := Chunk(file[12:], "EXIF")
	f.XMP, _ = Chunk(file[12:], "XMP ")
	f.Tags = Parse(exif)
	return f
}

// Chunk finds a chunk of a RIFF file, given what follows its header. whole is
// false if the file ends in it.
func Chunk(rest []byte, kind string) (data []byte, whole bool) {
	for len(rest) >= 8 {
		length := int(binary.LittleEndian.Uint32(rest[4:]))
		end := 8 + min(length, len(rest)-8)
		if string(rest[:4]) == kind {
			return rest[8:end], end == 8+length
		}
		rest = rest[min(end+length&1, len(rest)):]
	}
	return nil, false
}
