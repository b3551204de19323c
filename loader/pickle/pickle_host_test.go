//go:build !js

package pickle

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Package loader compares the files of this folder with what torch reads.
const fixtures = "../../tests/fixtures/pickles"

func openBytes(b []byte) (*File, error) {
	return Open(func(at, n int64) io.Reader { return bytes.NewReader(b[at : at+n]) }, int64(len(b)))
}

// old is a file of torch's format from before 1.6 with an object.
func old(object string) []byte {
	return []byte("\x80\x02\x8a\n" + magic + ".\x80\x02M\xe9\x03.\x80\x02}." + object)
}

// A pickle that asks for much memory or time is refused before it takes them.
func TestBombs(t *testing.T) {
	doubled := "]" + strings.Repeat("2\x86", 60) + "." // a tuple of two tuples of two tuples …
	nested := "}" + strings.Repeat("}X\x01\x00\x00\x00a2s", 3) + "."
	wide := "\x80\x02(" + strings.Repeat("K\x01", 200_000) + "lq\x00" + strings.Repeat("ctorch\nSize\nh\x00\x85R0", 100_000)
	own := "\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s." // a dictionary that contains itself
	branches := "\x80\x02}q\x00(" + strings.Repeat("X\x02\x00\x00\x00aah\x00", 1) + "u"
	for i := range 26 {
		branches += "X\x01\x00\x00\x00" + string(rune('a'+i)) + "h\x00s"
	}
	prefixes := "\x80\x02}q\x00" // 2^15 paths through dictionaries, whose names are 60 kB long
	for i := range byte(15) {
		prefixes += "}q" + string([]byte{i + 1})
		for _, name := range []string{"a", "b"} {
			prefixes += text(strings.Repeat(name, 4000)) + "h" + string([]byte{i}) + "s"
		}
	}
	calls := "\x80\x02ccollections\nOrderedDict\nq\x00(" + strings.Repeat("N", 400_000) + "tq\x01" + strings.Repeat("h\x00h\x01R0", 100_000)
	for name, object := range map[string]string{
		"prefixes": prefixes + ".", "calls": calls,
		"doubled": doubled, "nested": nested, "wide": wide, "own": own, "branches": branches + ".",
		"long text":   "\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7f",
		"long number": "\x80\x02\x8b\xff\xff\xff\x7f",
		"many":        strings.Repeat("N", maxOps+1),
		"marks":       strings.Repeat("(", maxOps+1),
		"memo":        "N" + strings.Repeat("\x94", maxOps+1),
		"deep":        strings.Repeat("]", 100_000) + strings.Repeat("a", 99_999) + ".",
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := openBytes(old(object))
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s was read", name)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 400<<20 {
			t.Errorf("%s took %d MB: %v", name, used>>20, err)
		}
	}
}

// text is a string in a pickle.
func text(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

// small is a tensor in a pickle, whose storage "0" has count numbers. offset and shape are pickled.
func small(count byte, offset, shape string) string {
	n := "K" + string([]byte{count})
	return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\nFloatStorage\n" + text("0") + text("cpu") + n + "tQ" +
		offset + "(" + shape + "t(K\x01t\x89ccollections\nOrderedDict\n)RtR"
}

// What the pickles of torch's old format say about each other is checked.
func TestOldFormat(t *testing.T) {
	const keys = "\x80\x02]X\x01\x00\x00\x000a."
	const data = "\x01\x00\x00\x00\x00\x00\x00\x00" + "\x00\x00\x80\x3f" // one number
	object := func(values ...string) []byte {
		return append(old("\x80\x02}("+strings.Join(values, "")+"u."), keys+data...)
	}
	good := text("a") + small(1, "K\x00", "K\x01")
	f, err := openBytes(object(good))
	if err != nil || len(f.Tensors) != 1 || f.Tensors[0].End-f.Tensors[0].Begin != 4 {
		t.Errorf("one tensor: %+v, %v", f, err)
	}
	// A second tensor says that the same storage is larger.
	if f, err := openBytes(object(good, text("b")+small(9, "K\x00", "K\x09"))); err == nil {
		t.Errorf("numbers after the end of the file were found: %+v", f)
	}
	// An empty tensor may have any offset.
	f, err = openBytes(object(good, text("b")+small(1, "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", "K\x00")))
	if err != nil || len(f.Tensors) != 2 || f.Tensors[0].Begin != 0 || f.Tensors[0].End != 0 {
		t.Errorf("an empty tensor: %+v, %v", f, err)
	}
	// The version is a tuple of two tuples of two tuples …
	endless := "\x80\x02\x8a\n" + magic + ".\x80\x02]" + strings.Repeat("2\x86", 60) + "."
	if f, err := openBytes([]byte(endless)); err == nil {
		t.Errorf("a file with an endless version was read: %+v", f)
	}
}

// A name is one line, in every protocol.
func TestNamesAreLines(t *testing.T) {
	known := text("torch.nn.parameter") + text("Buffer") + "\x93"
	for _, object := range []string{
		text("torch: Size device Tensor\ntorch.nn.parameter") + text("Buffer") + "\x93", // two lines of names.go
		text("os\n") + text("system") + "\x93",
		text("os") + text(strings.Repeat("a", maxLine+1)) + "\x93",
	} {
		_, err := openBytes(old("\x80\x04" + known + object + "."))
		if err != errDamaged {
			t.Errorf("%.80q: %v", object, err)
		}
	}
}

// A zip archive's directory that asks for much is refused, and nothing is read twice for it.
func TestArchiveBombs(t *testing.T) {
	end := func(count uint16, size, start uint32) []byte {
		b := append([]byte("PK\x03\x04"), make([]byte, 60)...)
		b = append(b, "PK\x05\x06\x00\x00\x00\x00"...)
		b = binary.LittleEndian.AppendUint16(b, count)
		b = binary.LittleEndian.AppendUint16(b, count)
		b = binary.LittleEndian.AppendUint32(b, size)
		b = binary.LittleEndian.AppendUint32(b, start)
		return append(b, 0, 0)
	}
	for name, b := range map[string][]byte{"entries": end(0xffff, 10, 0), "size": end(1, 0xffffffff, 0), "place": end(1, 10, 0xffffffff), "none": end(0, 0, 0)} {
		if _, err := openBytes(b); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}

// Over a network every read is a request, so the number of reads does not grow with that of tensors.
func TestReads(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(fixtures, "many.pth"))
	if err != nil {
		t.Fatal(err)
	}
	reads := 0
	f, err := Open(func(at, n int64) io.Reader {
		reads++
		return bytes.NewReader(b[at : at+n])
	}, int64(len(b)))
	if err != nil || len(f.Tensors) != 12 || reads > 8 {
		t.Errorf("%d reads for %+v (%v)", reads, f, err)
	}
}

// FuzzOpen gives arbitrary files to the reader. Whatever it reads is within the file.
func FuzzOpen(f *testing.F) {
	for _, name := range []string{"many.pth", "stored.pth", "zip64.pth", "zip64_end.pth", "old.pt", "protocol4.pt", "system.ckpt", "textual_inversion.pt"} {
		b, err := os.ReadFile(filepath.Join(fixtures, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := openBytes(b)
		if err != nil {
			return
		}
		for _, x := range file.Tensors {
			size := widths[x.DType]
			for _, n := range x.Shape {
				size *= int64(n)
			}
			inOrder := x.Strides == nil && x.End-x.Begin == size
			if x.Begin < 0 || x.End < x.Begin || x.End > int64(len(b)) && size > 0 || !inOrder && len(x.Strides) != len(x.Shape) {
				t.Errorf("%+v of a file of %d bytes", x, len(b))
			}
		}
	})
}
