package loader

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// Tensor is a tensor of a file: an entry of a safetensors header, or what a pickle says of it.
type Tensor struct {
	Name       string
	DType      string
	Shape      []int
	Begin, End int64 // in the file
	// Strides are the distances between neighbours in each dimension, in numbers. They are nil
	// where the numbers are in order, as they always are in a safetensors file.
	Strides []int
}

// bytes is the size of the tensor's numbers when they are in order.
func (t Tensor) bytes() int64 {
	if t.Strides == nil {
		return t.End - t.Begin
	}
	n := dtypeBits[t.DType] / 8
	for _, s := range t.Shape {
		n *= int64(s)
	}
	return n
}

// maxHeader is the size of the largest header that the safetensors library itself accepts.
const maxHeader = 100_000_000

// dtypeBits are the format's types of numbers, with the bits of a number.
var dtypeBits = map[string]int64{
	"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
	"BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
	"U16": 16, "I16": 16, "F16": 16, "BF16": 16, "U32": 32, "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64, "C64": 64,
}

// MakeHeader returns the first bytes of a safetensors file: the size of the header, and the header as
// JSON, with spaces up to a multiple of 8 bytes. entries are what it has by the tensors' names (dtype,
// shape and data_offsets), and "__metadata__" if there is any.
func MakeHeader(entries any) ([]byte, error) {
	text, err := json.Marshal(entries)
	if err != nil {
		return nil, fmt.Errorf("the safetensors header cannot be written: %w", err)
	}
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), nil
}

// HeaderSize reads the length of the header from the first eight bytes of a safetensors file.
func HeaderSize(first []byte, fileSize int64) (int64, error) {
	if len(first) < 8 {
		return 0, errors.New("the file is too short to be a safetensors file")
	}
	n := binary.LittleEndian.Uint64(first)
	switch {
	case n > maxHeader:
		return 0, errors.New("this is neither a safetensors file nor one that torch wrote: get the model as .safetensors, .ckpt, .pt, .pth or .bin")
	case int64(n)+8 > fileSize:
		return 0, fmt.Errorf("the file is cut off: its header takes %d bytes and the file has %d", n, fileSize)
	}
	return int64(n), nil
}

// ParseHeader reads a header that is held in memory; see ReadHeader.
func ParseHeader(header []byte, fileSize int64) ([]Tensor, error) {
	return ReadHeader(bytes.NewReader(header), int64(len(header)), fileSize)
}
