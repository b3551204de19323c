package npy

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
)

const magic = "\x93NUMPY"

// alignment is the alignment of the first value in the file that NumPy asks for.
const alignment = 64

// maxValues limits what Read allocates to 1 GiB.
const maxValues = 1 << 28

// Write writes an array with a shape. len(values) must be the product of the shape's sizes.
func Write(w io.Writer, shape []int, values []float32) error {
	count, err := product(shape)
	if err != nil {
		return err
	}
	if count != len(values) {
		return fmt.Errorf("npy: an array of shape %v has %d values, but %d were given", shape, count, len(values))
	}
	sizes := make([]string, len(shape))
	for i, n := range shape {
		sizes[i] = strconv.Itoa(n)
	}
	tuple := strings.Join(sizes, ", ")
	if len(shape) == 1 {
		tuple += "," // Python's tuple of one
	}
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }", tuple)
	const before = len(magic) + 4
	padding := alignment - (before+len(header)+1)%alignment
	header += strings.Repeat(" ", padding%alignment) + "\n"
	if len(header) > math.MaxUint16 {
		return fmt.Errorf("npy: a shape of %d dimensions does not fit in the header", len(shape))
	}

	out := bufio.NewWriter(w)
	out.WriteString(magic + "\x01\x00")
	out.Write(binary.LittleEndian.AppendUint16(nil, uint16(len(header))))
	out.WriteString(header)
	var word [4]byte
	for _, v := range values {
		binary.LittleEndian.PutUint32(word[:], math.Float32bits(v))
		out.Write(word[:])
	}
	return out.Flush() // returns the first error of the writes
}

var (
	shapePattern = regexp.MustCompile(`'shape':\s*\(([0-9, ]*)\)`)
	descrPattern = regexp.MustCompile(`'descr':\s*'([^']*)'`)
	orderPattern = regexp.MustCompile(`'fortran_order':\s*(True|False)`)
)

// Read reads an array and returns its shape and its values.
func Read(r io.Reader) (shape []int, values []float32, err error) {
	var start [len(magic) + 4]byte
	if _, err := io.ReadFull(r, start[:]); err != nil || string(start[:len(magic)]) != magic {
		return nil, nil, errors.New("npy: this is not a .npy file")
	}
	if start[6] != 1 {
		return nil, nil, fmt.Errorf("npy: format %d.%d is not supported. Write the array in version (1, 0) of numpy.lib.format", start[6], start[7])
	}
	header := make([]byte, binary.LittleEndian.Uint16(start[8:]))
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, nil, errors.New("npy: the file is cut off in its header")
	}
	descr, order, tuple := descrPattern.FindSubmatch(header), orderPattern.FindSubmatch(header), shapePattern.FindSubmatch(header)
	if descr == nil || order == nil || tuple == nil {
		return nil, nil, fmt.Errorf("npy: the header %q lacks descr, fortran_order or shape", header)
	}
	if string(descr[1]) != "<f4" {
		return nil, nil, fmt.Errorf("npy: the values are %q; only float32 (\"<f4\") is read: save array.astype(\"<f4\")", descr[1])
	}
	if string(order[1]) != "False" {
		return nil, nil, errors.New("npy: the array is in Fortran order. Save numpy.ascontiguousarray(array)")
	}
	for size := range strings.SplitSeq(string(tuple[1]), ",") {
		if size = strings.TrimSpace(size); size == "" {
			continue
		}
		n, err := strconv.Atoi(size)
		if err != nil {
			return nil, nil, fmt.Errorf("npy: a size of %s is too large", size)
		}
		shape = append(shape, n)
	}
	count, err := product(shape)
	if err != nil {
		return nil, nil, err
	}
	data, err := io.ReadAll(io.LimitReader(r, int64(4*count)))
	if err != nil {
		return nil, nil, fmt.Errorf("npy: %w", err)
	}
	if len(data) != 4*count {
		return nil, nil, fmt.Errorf("npy: the file is cut off: shape %v needs %d bytes, but it has %d", shape, 4*count, len(data))
	}
	values = make([]float32, count)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return shape, values, nil
}

func product(shape []int) (int, error) {
	count := 1
	for _, n := range shape {
		if n < 0 {
			return 0, fmt.Errorf("npy: the shape %v has a negative size", shape)
		}
		if n > 0 && count > maxValues/n {
			return 0, fmt.Errorf("npy: an array of shape %v is too large", shape)
		}
		count *= n
	}
	return count, nil
}
