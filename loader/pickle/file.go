package pickle

import (
	"errors"
	"io"
	"sort"
	"strings"
)

// Reads returns a reader of n bytes of a file from the byte at on.
type Reads func(at, n int64) io.Reader

// File is the content of a file that torch wrote.
type File struct {
	Tensors []Tensor // in the order of their places
	// Texts are the strings beside the tensors, such as the "name" of a textual inversion.
	Texts map[string]string
}

// Tensor is a tensor and its place in the file.
type Tensor struct {
	Name       string
	DType      string // by the name that safetensors has for it, "F16" say
	Shape      []int
	Begin, End int64 // its bytes in the file, from its first number to its last; 0 for an empty tensor
	// Strides are the distances between neighbours in each dimension, in numbers. They are nil
	// for a tensor whose numbers are in order and without gaps.
	Strides []int
}

var (
	errCutOff  = errors.New("the file is cut off or damaged: get it again")
	errDamaged = errors.New("the pickle is damaged: get the file again")
)

// Is reports whether a file is a pickle or a zip archive. first are the file's first bytes, 9 or more.
func Is(first []byte) bool {
	if len(first) > 8 && first[6] == 0 && first[7] == 0 && first[8] == '{' {
		return false // a safetensors file, whose first bytes are the size of its header
	}
	return isZip(first) || len(first) > 1 && first[0] == opProto && first[1] >= 2 && first[1] <= 5
}

func isZip(first []byte) bool { return strings.HasPrefix(string(first), "PK\x03\x04") }

// Open reads which tensors a file has that torch wrote. The names of nested dictionaries are
// joined by dots. The error of a file that is not only a dictionary of tensors says what it is.
func Open(open Reads, size int64) (*File, error) {
	f := file{open, size}
	first, err := f.read(0, min(9, size))
	switch {
	case err != nil:
		return nil, err
	case isZip(first):
		return openZip(f)
	}
	return openLegacy(f)
}

// file is a file as this package reads it.
type file struct {
	open Reads
	size int64
}

// read reads a few bytes.
func (f file) read(at, n int64) ([]byte, error) {
	if at < 0 || n < 0 || at > f.size || n > f.size-at {
		return nil, errCutOff
	}
	b := make([]byte, n)
	_, err := io.ReadFull(f.open(at, n), b)
	return b, err
}

// place makes the File. begin returns the byte of the file at which a storage begins.
func place(list []*tensor, texts map[string]string, begin func(*storage) int64) *File {
	f := &File{Texts: texts}
	for _, t := range list {
		p := Tensor{Name: t.name, DType: t.dtype}
		for _, n := range t.shape {
			p.Shape = append(p.Shape, int(n))
		}
		if t.count() > 0 { // an empty tensor may have any offset
			width := widths[t.dtype]
			p.Begin = begin(t.storage) + t.offset*width
			p.End = p.Begin + t.span()*width
			if !t.inOrder() {
				for _, s := range t.strides {
					p.Strides = append(p.Strides, int(s))
				}
			}
		}
		f.Tensors = append(f.Tensors, p)
	}
	sort.Slice(f.Tensors, func(i, j int) bool {
		a, b := &f.Tensors[i], &f.Tensors[j]
		switch {
		case a.Begin != b.Begin:
			return a.Begin < b.Begin
		case a.End != b.End:
			return a.End < b.End
		}
		return a.Name < b.Name
	})
	return f
}
