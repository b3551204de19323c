package store

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/imprompt/imprompt/loader"
)

// conversion is what happens to bytes before they are stored. web/js/loader.js knows the
// same numbers.
type conversion int

const (
	keep conversion = iota
	fromF32
	fromBF16
)

// segment is a number of successive source bytes that are converted in the same way.
type segment struct {
	bytes      int64
	conversion conversion
}

// slice is a Blob to be: the source bytes it is made from, and its place in the stored file.
type slice struct {
	from, to int64 // source bytes [from, to)
	at, size int64 // in the stored file
	segments []segment
}

// plan says how a file is stored.
type plan struct {
	header    []byte // the new header, if a tensor's type changes; else nil
	slices    []slice
	size      int64
	converted bool
}

// planBytes stores a file without conversion.
func planBytes(size int64, limit int64) plan {
	p := plan{size: size}
	for at := int64(0); at < size; at += limit {
		n := min(limit, size-at)
		p.slices = append(p.slices, slice{from: at, to: at + n, at: at, size: n, segments: []segment{{n, keep}}})
	}
	return p
}

// planTensors stores a safetensors file with its F32 and BF16 tensors as F16. The tensors are in
// the order of their bytes, as ParseHeader returns them. No slice ends inside a number. A file with one
// tensor is an embedding: it stays as it is, because other programs know it by its hash.
func planTensors(tensors []loader.Tensor, size int64, limit int64) (plan, error) {
	var convert bool
	for _, t := range tensors {
		convert = convert || t.DType == "F32" || t.DType == "BF16"
	}
	if !convert || len(tensors) == 1 {
		return planBytes(size, limit), nil
	}
	type entry struct {
		DType   string   `json:"dtype"`
		Shape   []int    `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	entries := map[string]entry{}
	var at int64
	for _, t := range tensors {
		n, dtype := t.End-t.Begin, t.DType
		switch dtype {
		case "F32":
			n, dtype = n/2, "F16"
		case "BF16":
			dtype = "F16"
		}
		shape := t.Shape
		if shape == nil {
			shape = []int{}
		}
		entries[t.Name] = entry{dtype, shape, [2]int64{at, at + n}}
		at += n
	}
	text, err := json.Marshal(entries)
	if err != nil {
		return plan{}, fmt.Errorf("the header cannot be written: %w", err)
	}
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	p := plan{header: append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), converted: true}
	p.size = int64(len(p.header)) + at
	out := int64(len(p.header))
	var s slice
	flush := func() {
		if s.to > s.from {
			p.slices = append(p.slices, s)
		}
		s = slice{from: s.to, to: s.to, at: out}
	}
	if len(tensors) > 0 {
		s = slice{from: tensors[0].Begin, to: tensors[0].Begin, at: out}
	}
	for _, t := range tensors {
		k, halve := keep, int64(1)
		switch t.DType {
		case "F32":
			k, halve = fromF32, 2
		case "BF16":
			k = fromBF16
		}
		for left := t.End - t.Begin; left > 0; {
			// 8 is a multiple of every type's size.
			n := min(left, (limit-(s.to-s.from))&^7)
			if n <= 0 {
				flush()
				continue
			}
			s.segments = append(s.segments, segment{n, k})
			s.to += n
			s.size += n / halve
			out += n / halve
			left -= n
		}
	}
	flush()
	return p, nil
}
