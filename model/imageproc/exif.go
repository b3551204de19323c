package imageproc

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/hex"
	"io"
	"regexp"
)

// orientation returns a file's orientation, 1 (as it is) to 8: EXIF's, or where
// there is none XMP's, as PIL.ImageOps.exif_transpose finds it.
func orientation(file []byte, format string) int {
	var exif, xmp []byte
	switch format {
	case "jpeg":
		exif, xmp = segmentOfJPEG(file, "Exif\x00\x00"), segmentOfJPEG(file, "http://ns.adobe.com/xap/1.0/\x00")
	case "png":
		exif, xmp = metadataOfPNG(file)
	case "webp":
		rest := file[min(12, len(file)):]
		exif, _ = chunk(rest, "EXIF")
		xmp, _ = chunk(rest, "XMP ")
	case "tiff":
		exif = file // a TIFF is such a block itself
		xmp = tagOf(file, 700)
	}
	if o := orientationOf(bytes.TrimPrefix(exif, []byte("Exif\x00\x00"))); o != 0 {
		return o
	}
	if m := xmpOrientation.FindSubmatch(xmp); m != nil {
		return int(m[1][0] - '0')
	}
	return 1
}

// xmpOrientation finds tiff:Orientation as an attribute or as an element.
var xmpOrientation = regexp.MustCompile(`tiff:Orientation\s*(?:=\s*["']|>)\s*([1-8])`)

// segmentOfJPEG returns the content of the first APP1 segment that begins so.
func segmentOfJPEG(file []byte, prefix string) []byte {
	for rest := file[min(2, len(file)):]; len(rest) >= 4 && rest[0] == 0xff; {
		marker := rest[1]
		if marker == 0xff { // a fill byte
			rest = rest[1:]
			continue
		}
		if marker == 0xda || marker == 0xd9 { // the picture itself
			return nil
		}
		length := int(binary.BigEndian.Uint16(rest[2:])) + 2
		if length < 4 || length > len(rest) {
			return nil
		}
		if segment, ok := bytes.CutPrefix(rest[4:length], []byte(prefix)); ok && marker == 0xe1 {
			return segment
		}
		rest = rest[length:]
	}
	return nil
}

// metadataOfPNG returns the content of eXIf and of XMP's text. ImageMagick
// writes EXIF as a text of hexadecimal digits.
func metadataOfPNG(file []byte) (exif, xmp []byte) {
	for rest := file[min(8, len(file)):]; len(rest) >= 12; {
		length := int(binary.BigEndian.Uint32(rest))
		if length < 0 || length > len(rest)-12 {
			break
		}
		kind, data := string(rest[4:8]), rest[8:8+length]
		switch {
		case kind == "eXIf" && exif == nil:
			exif = data
		case kind == "iTXt" || kind == "zTXt" || kind == "tEXt":
			key, _, _ := bytes.Cut(data, []byte{0})
			switch string(key) {
			case "XML:com.adobe.xmp":
				xmp = pngText(kind, data[len(key):])
			case "Raw profile type exif", "Raw profile type APP1":
				if exif == nil {
					exif = rawProfile(pngText(kind, data[len(key):]))
				}
			}
		}
		rest = rest[12+length:]
	}
	return exif, xmp
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
	digits := bytes.Join(lines[3:], nil)
	out := make([]byte, len(digits)/2)
	n, _ := hex.Decode(out, bytes.TrimSpace(digits))
	return out[:n]
}

// orientationOf reads tag 0x0112 of the first directory of a TIFF block; it
// returns 0 where there is none, and 1 for a value that means nothing.
func orientationOf(tiff []byte) int {
	value := tagOf(tiff, 0x0112)
	if value == nil {
		return 0
	}
	o := 0
	for i, v := range value { // of any width of integer, in either order
		if tiff[0] == 'I' {
			o |= int(v) << (8 * i)
		} else {
			o = o<<8 | int(v)
		}
	}
	if o < 1 || o > 8 {
		return 1
	}
	return o
}

// tagOf returns a tag's value in the first directory of a TIFF block: all of its
// bytes if they are text or undefined, else those of its first integer.
func tagOf(tiff []byte, tag uint16) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(tiff, []byte("II*\x00")):
		order = binary.LittleEndian
	case bytes.HasPrefix(tiff, []byte("MM\x00*")):
		order = binary.BigEndian
	default:
		return nil
	}
	if len(tiff) < 8 {
		return nil
	}
	start := int64(order.Uint32(tiff[4:]))
	if start+2 > int64(len(tiff)) {
		return nil
	}
	entries := tiff[start+2:]
	for range order.Uint16(tiff[start:]) {
		if len(entries) < 12 {
			return nil
		}
		if order.Uint16(entries) != tag {
			entries = entries[12:]
			continue
		}
		count := int64(order.Uint32(entries[4:]))
		if count == 0 {
			return nil
		}
		switch kind := order.Uint16(entries[2:]); kind {
		case 3, 8: // SHORT, SSHORT
			return entries[8:10]
		case 4, 9: // LONG, SLONG
			return entries[8:12]
		case 1, 2, 6, 7: // BYTE, ASCII, SBYTE, UNDEFINED
			if count <= 4 {
				if kind == 1 || kind == 6 {
					count = 1
				}
				return entries[8 : 8+count]
			}
			at := int64(order.Uint32(entries[8:]))
			if at+count > int64(len(tiff)) {
				return nil
			}
			return tiff[at : at+count]
		}
		return nil
	}
	return nil
}

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
