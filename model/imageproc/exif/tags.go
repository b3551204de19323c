package exif

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// Tags are the tags of a TIFF block's first directory, and of the one that EXIF
// hangs below it.
type Tags struct {
	order binary.ByteOrder
	list  []tag
}

type tag struct {
	id, kind uint16
	value    []byte
}

// sizes are the bytes of one value, by the type of a tag.
var sizes = [...]int{0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8}

const (
	byteType, asciiType, short, long = 1, 2, 3, 4
	undefined                        = 7
	signedByte, sshort, slong        = 6, 8, 9
)

// Parse reads a block, with or without the word Exif before it. What cannot be
// read is left out.
func Parse(block []byte) Tags {
	block = bytes.TrimPrefix(block, []byte("Exif\x00\x00"))
	var t Tags
	switch {
	case len(block) < 8:
		return t
	case bytes.HasPrefix(block, []byte("II*\x00")):
		t.order = binary.LittleEndian
	case bytes.HasPrefix(block, []byte("MM\x00*")):
		t.order = binary.BigEndian
	default:
		return t
	}
	t.directory(block, int64(t.order.Uint32(block[4:])))
	if at, ok := t.Integer(subDirectory); ok {
		t.directory(block, int64(at))
	}
	return t
}

func (t *Tags) directory(block []byte, start int64) {
	if start < 8 || start+2 > int64(len(block)) {
		return
	}
	entries := block[start+2:]
	for range t.order.Uint16(block[start:]) {
		if len(entries) < 12 {
			return
		}
		e := tag{id: t.order.Uint16(entries), kind: t.order.Uint16(entries[2:])}
		count := int64(t.order.Uint32(entries[4:]))
		if int(e.kind) < len(sizes) {
			length := count * int64(sizes[e.kind])
			at := int64(t.order.Uint32(entries[8:]))
			switch {
			case length <= 4:
				e.value = entries[8 : 8+length]
			case at+length <= int64(len(block)):
				e.value = block[at : at+length]
			}
			if len(e.value) > 0 {
				t.list = append(t.list, e)
			}
		}
		entries = entries[12:]
	}
}

// Bytes returns a tag's value as it is stored.
func (t Tags) Bytes(id uint16) ([]byte, bool) {
	for _, e := range t.list {
		if e.id == id {
			return e.value, true
		}
	}
	return nil, false
}

// Integer returns a tag's first value; programs write whole numbers in every
// width. ok is false if there is no such tag, or if it is no whole number.
func (t Tags) Integer(id uint16) (v int, ok bool) {
	for _, e := range t.list {
		if e.id != id {
			continue
		}
		switch e.kind {
		case byteType, signedByte:
			return int(e.value[0]), true
		case short, sshort:
			return int(t.order.Uint16(e.value)), true
		case long, slong:
			return int(t.order.Uint32(e.value)), true
		}
		return 0, false
	}
	return 0, false
}

// Short reports whether there is a tag, with a number of 16 bits.
func (t Tags) Short(id uint16) bool {
	return slices.ContainsFunc(t.list, func(e tag) bool { return e.id == id && e.kind == short })
}

// Text returns a tag's value as a text: UserComment with its code's name before
// it, XPComment in UTF-16, others as they are, without the zero at their end.
func (t Tags) Text(id uint16) (string, bool) {
	b, ok := t.Bytes(id)
	switch {
	case !ok:
		return "", false
	case id == UserComment && len(b) >= 8:
		return t.comment(b), true
	case id == XPComment:
		return trim(utf16Text(b, binary.LittleEndian)), true
	}
	return trim(string(b)), true
}
