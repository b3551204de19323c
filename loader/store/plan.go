package store

import "github.com/imprompt/imprompt/loader"

// conversion is what happens to bytes before they are stored. web/js/loader.js knows the
// same numbers.
type conversion int

const (
	keep conversion = iota
	fromF32
	fromBF16
	fromF64
	drop // bytes of a pickle that are in no tensor
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

// planTensors stores a safetensors file with its F32, BF16 and F64 tensors as F16. The tensors are in
// the order of their bytes, as ParseHeader returns them. No slice ends inside a number. A file with one
// tensor is an embedding: it stays as it is, because other programs know it by its hash.
func planTensors(tensors []loader.Tensor, size int64, limit int64) (plan, error) {
	var convert bool
	for _, t := range tensors {
		k, _ := conversionOf(t.DType)
		convert = convert || k != keep
	}
	if !convert || len(tensors) == 1 {
		return planBytes(size, limit), nil
	}
	return planConverted(tensors, tensors[0].Begin, size, limit)
}

// planPickle stores a pickle as a safetensors file with its F32, BF16 and F64 tensors as F16. A pickle
// from which that file cannot be made slice by slice is stored as it is, which takes more space. In such
// a pickle, tensors share bytes or are not in order, or there are many other bytes, such as the state of
// a training.
func planPickle(tensors []loader.Tensor, size int64, limit int64) (plan, error) {
	at := int64(0)
	for _, t := range tensors {
		if t.Strides != nil || t.Begin < at && t.End > t.Begin || t.Begin-at > limit/2 {
			return planBytes(size, limit), nil
		}
		at = max(at, t.End)
	}
	if size-at > limit/2 || len(tensors) <= 1 {
		return planBytes(size, limit), nil
	}
	return planConverted(tensors, 0, size, limit)
}

// conversionOf returns how numbers of a type are stored, and how many bytes become one byte.
func conversionOf(dtype string) (k conversion, each int64) {
	switch dtype {
	case "F32":
		return fromF32, 2
	case "F64":
		return fromF64, 4
	case "BF16":
		return fromBF16, 1
	}
	return keep, 1
}

// planConverted stores tensors as a safetensors file that is made from the source's bytes [from, to).
// No slice is without bytes of a tensor.
func planConverted(tensors []loader.Tensor, from, to, limit int64) (plan, error) {
	type entry struct {
		DType   string   `json:"dtype"`
		Shape   []int    `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	entries := map[string]entry{}
	var at int64
	for _, t := range tensors {
		k, each := conversionOf(t.DType)
		n, dtype := (t.End-t.Begin)/each, t.DType
		if k != keep {
			dtype = "F16"
		}
		shape := t.Shape
		if shape == nil {
			shape = []int{}
		}
		entries[t.Name] = entry{dtype, shape, [2]int64{at, at + n}}
		at += n
	}
	header, err := loader.MakeHeader(entries)
	if err != nil {
		return plan{}, err
	}
	out := int64(len(header))
	p := plan{header: header, size: out + at, converted: true}
	s := slice{from: from, to: from, at: out}
	flush := func() {
		if s.to > s.from {
			p.slices = append(p.slices, s)
		}
		s = slice{from: s.to, to: s.to, at: out}
	}
	pass := func(n int64) {
		if n > 0 {
			s.segments = append(s.segments, segment{n, drop})
			s.to += n
		}
	}
	for _, t := range tensors {
		if t.Begin == t.End {
			continue
		}
		pass(t.Begin - s.to)
		k, each := conversionOf(t.DType)
		for left := t.End - t.Begin; left > 0; {
			// 8 is a multiple of the size of every type that is converted.
			n := min(left, (limit-(s.to-s.from))&^7)
			if n <= 0 {
				flush()
				continue
			}
			s.segments = append(s.segments, segment{n, k})
			s.to += n
			s.size += n / each
			out += n / each
			left -= n
		}
	}
	pass(to - s.to)
	flush()
	return p, nil
}
