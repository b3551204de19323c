package exif

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// The names of codes before a UserComment's text, of 8 bytes.
const (
	asciiCode   = "ASCII\x00\x00\x00"
	unicodeCode = "UNICODE\x00"
	noCode      = "\x00\x00\x00\x00\x00\x00\x00\x00"
)

// comment decodes a UserComment. Programs disagree on what UNICODE is: UTF-16 in
// the block's byte order as the standard has it, in the other, or UTF-8. Some
// write no code at all.
func (t Tags) comment(b []byte) string {
	code, text := string(b[:8]), b[8:]
	switch {
	case code == unicodeCode && !bytes.Contains(text, []byte{0}) && utf8.Valid(text):
		return string(text)
	case code == unicodeCode:
		return trim(utf16Text(text, byteOrder(text, t.order)))
	case code == asciiCode || code == noCode || strings.HasPrefix(code, "JIS"):
		return trim(string(text))
	}
	return trim(string(b))
}

// byteOrder finds a text's order by its mark, or by the zeros beside Latin
// letters, or else takes the one given.
func byteOrder(text []byte, order binary.ByteOrder) binary.ByteOrder {
	switch {
	case bytes.HasPrefix(text, []byte{0xfe, 0xff}):
		return binary.BigEndian
	case bytes.HasPrefix(text, []byte{0xff, 0xfe}):
		return binary.LittleEndian
	}
	var zeros [2]int
	for i, v := range text[:len(text)&^1] {
		if v == 0 {
			zeros[i%2]++
		}
	}
	switch {
	case zeros[0] > zeros[1]:
		return binary.BigEndian
	case zeros[1] > zeros[0]:
		return binary.LittleEndian
	}
	return order
}

func utf16Text(text []byte, order binary.ByteOrder) string {
	units := make([]uint16, len(text)/2)
	for i := range units {
		units[i] = order.Uint16(text[2*i:])
	}
	return strings.TrimPrefix(string(utf16.Decode(units)), "\ufeff")
}

// trim takes the zeros off that end a text.
func trim(text string) string {
	return strings.TrimRight(strings.ToValidUTF8(text, "\uFFFD"), "\x00")
}

// Comment returns a block that holds nothing but a text as its UserComment, as
// A1111 writes it: big-endian, in UTF-16.
func Comment(text string) []byte {
	const head = 26 // to the end of the first directory, after which comes the second
	b := []byte("MM\x00*\x00\x00\x00\x08\x00\x01")
	b = appendTag(b, subDirectory, long, 1, head)
	b = append(b, 0, 0, 0, 0) // no further directory
	b = append(b, 0, 1)
	units := utf16.Encode([]rune(text))
	b = appendTag(b, UserComment, undefined, uint32(len(unicodeCode)+2*len(units)), head+18)
	b = append(b, 0, 0, 0, 0)
	b = append(b, unicodeCode...)
	for _, u := range units {
		b = binary.BigEndian.AppendUint16(b, u)
	}
	return b
}

func appendTag(b []byte, id, kind uint16, count, value uint32) []byte {
	b = binary.BigEndian.AppendUint16(b, id)
	b = binary.BigEndian.AppendUint16(b, kind)
	b = binary.BigEndian.AppendUint32(b, count)
	return binary.BigEndian.AppendUint32(b, value)
}
