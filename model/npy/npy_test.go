package npy

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
)

// fromNumPy is what numpy.save writes for arange(6, dtype=float32).reshape(2, 3).
const fromNumPy = "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }" +
	"                                                          \n" +
	"\x00\x00\x00\x00\x00\x00\x80?\x00\x00\x00@\x00\x00@@\x00\x00\x80@\x00\x00\xa0@"

func TestWriteAsNumPy(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, []int{2, 3}, []float32{0, 1, 2, 3, 4, 5}); err != nil {
		t.Fatal(err)
	}
	if b.String() != fromNumPy {
		t.Errorf("got\n%q, NumPy writes\n%q", b.String(), fromNumPy)
	}
}

func TestReadWhatWasWritten(t *testing.T) {
	for _, shape := range [][]int{{}, {1}, {5}, {0}, {1, 4, 8, 6}, {3, 0, 2}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 7}} {
		n := 1
		for _, s := range shape {
			n *= s
		}
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(math.Sin(float64(i + 1)))
		}
		var b bytes.Buffer
		if err := Write(&b, shape, values); err != nil {
			t.Fatal(err)
		}
		if start := b.Len() - 4*n; start%alignment != 0 {
			t.Errorf("shape %v: the values begin at %d", shape, start)
		}
		gotShape, got, err := Read(&b)
		if err != nil || !slices.Equal(gotShape, shape) || !slices.Equal(got, values) {
			t.Errorf("shape %v: got shape %v, values %v, %v", shape, gotShape, got, err)
		}
	}
}

func TestErrors(t *testing.T) {
	replace := func(old, new string) string { return strings.Replace(fromNumPy, old, new, 1) }
	for _, tc := range []struct{ file, want string }{
		{"", "not a .npy file"},
		{"PK\x03\x04 an .npz archive", "not a .npy file"},
		{replace("\x01\x00v", "\x02\x00v"), "format 2.0"},
		{fromNumPy[:40], "cut off in its header"},
		{fromNumPy[:len(fromNumPy)-1], "needs 24 bytes, but it has 23"},
		{replace("<f4", "<f8"), `"<f8"`},
		{replace("False", "True "), "Fortran"},
		{replace("'shape'", "'xhape'"), "lacks"},
		{replace("(2, 3), }            ", "(2, 999999999999), } "), "too large"},
	} {
		if _, _, err := Read(strings.NewReader(tc.file)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: %v; want %q", tc.file, err, tc.want)
		}
	}
	if err := Write(&bytes.Buffer{}, []int{2, 2}, make([]float32, 3)); err == nil {
		t.Error("a wrong number of values was written")
	}
}
