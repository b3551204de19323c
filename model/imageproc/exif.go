package imageproc

import (
	"bytes"
	"encoding/binary"
)

// orientation returns the EXIF orientation of a file, 1 (as it is) to 8.
func orientation(file []byte, format string) int {
	var block []byte
	switch format {
	case "jpeg":
		block = exifOfJPEG(file)
	case "png":
		block = exifOfPNG(file)
	case "webp":
		block = exifOfWebP(file)
	}
	return orientationOf(bytes.TrimPrefix(block, []byte("Exif\x00\x00")))
}

// exifOfJPEG returns the first APP1 segment that holds EXIF.
func exifOfJPEG(file []byte) []byte {
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
		if segment := rest[4:length]; marker == 0xe1 && bytes.HasPrefix(segment, []byte("Exif\x00\x00")) {
			return segment
		}
		rest = rest[length:]
	}
	return nil
}

func exifOfPNG(file []byte) []byte {
	for rest := file[min(8, len(file)):]; len(rest) >= 12; {
		length := int(binary.BigEndian.Uint32(rest))
		if length < 0 || length > len(rest)-12 {
			return nil
		}
		if string(rest[4:8]) == "eXIf" {
			return rest[8 : 8+length]
		}
		rest = rest[12+length:]
	}
	return nil
}

func exifOfWebP(file []byte) []byte {
	for rest := file[min(12, len(file)):]; len(rest) >= 8; {
		length := int(binary.LittleEndian.Uint32(rest[4:]))
		if length < 0 || length > len(rest)-8 {
			return nil
		}
		if string(rest[:4]) == "EXIF" {
			return rest[8 : 8+length]
		}
		rest = rest[8+min(length+length&1, len(rest)-8):]
	}
	return nil
}

// orientationOf reads tag 0x0112 of the first directory of a TIFF block; what
// cannot be read counts as 1.
func orientationOf(tiff []byte) int {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(tiff, []byte("II*\x00")):
		order = binary.LittleEndian
	case bytes.HasPrefix(tiff, []byte("MM\x00*")):
		order = binary.BigEndian
	default:
		return 1
	}
	if len(tiff) < 8 {
		return 1
	}
	start := int64(order.Uint32(tiff[4:]))
	if start+2 > int64(len(tiff)) {
		return 1
	}
	entries := tiff[start+2:]
	for range order.Uint16(tiff[start:]) {
		if len(entries) < 12 {
			return 1
		}
		const tag, short = 0x0112, 3
		if order.Uint16(entries) == tag && order.Uint16(entries[2:]) == short {
			if v := int(order.Uint16(entries[8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
		entries = entries[12:]
	}
	return 1
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
