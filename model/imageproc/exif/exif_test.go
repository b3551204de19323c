package exif

import (
	"encoding/binary"
	"testing"
)

func TestComment(t *testing.T) {
	for _, text := range []string{"", "a fox", "café 狐 🦊\nSteps: 5"} {
		if got, ok := Parse(Comment(text)).Text(UserComment); !ok || got != text {
			t.Errorf("%q comes back as %q, %v", text, got, ok)
		}
	}
}

// Numbers are read in every width and both orders, and nothing is read beyond a
// block's end.
func TestIntegers(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for kind, value := range map[uint16][]byte{
			byteType: {6, 0, 0, 0}, short: order.AppendUint16(order.AppendUint16(nil, 6), 0), long: order.AppendUint32(nil, 6), slong: order.AppendUint32(nil, 6),
		} {
			b := []byte("II*\x00")
			if order == binary.BigEndian {
				b = []byte("MM\x00*")
			}
			b = order.AppendUint32(b, 8)
			b = order.AppendUint16(b, 1)
			b = order.AppendUint16(b, Orientation)
			b = order.AppendUint16(b, kind)
			b = order.AppendUint32(b, 1)
			b = append(b, value...)
			if v, ok := Parse(b).Integer(Orientation); !ok || v != 6 {
				t.Errorf("%v, type %d: %d, %v", order, kind, v, ok)
			}
			if got := Parse(b).Short(Orientation); got != (kind == short) {
				t.Errorf("%v, type %d: short is %v", order, kind, got)
			}
			for cut := range b {
				Parse(b[:cut])
			}
		}
	}
	if _, ok := Parse(nil).Integer(Orientation); ok {
		t.Error("nothing has an orientation")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(append([]byte("\xff\xd8\xff\xe1\x00\x60Exif\x00\x00"), Comment("a fox")...))
	f.Add(Comment("a fox"))
	f.Add([]byte("RIFF\x00\x00\x00\x00WEBPEXIF\x08\x00\x00\x00MM\x00*\x00\x00\x00\x08"))
	f.Add([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0ceXIfMM\x00*\x00\x00\x00\x08xxxx"))
	f.Fuzz(func(t *testing.T, file []byte) {
		m := Read(file)
		for _, id := range []uint16{Orientation, UserComment, XPComment, Model} {
			m.Tags.Integer(id)
			m.Tags.Text(id)
		}
	})
}
