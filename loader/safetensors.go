package loader

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"sort"
)

// Tensor is an entry of a safetensors header.
type Tensor struct {
	Name       string
	DType      string
	Shape      []int
	Begin, End int64 // in the file
}

// maxHeader is the size of the largest header that the safetensors library itself accepts.
const maxHeader = 100_000_000

// dtypeBits are the format's types of numbers, with the bits of a number.
var dtypeBits = map[string]int64{
	"BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8,
	"U16": 16, "I16": 16, "F16": 16, "BF16": 16, "U32": 32, "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64, "C64": 64,
}

// HeaderSize reads the length of the header from the first eight bytes of a safetensors file.
func HeaderSize(first []byte, fileSize int64) (int64, error) {
	if len(first) < 8 {
		return 0, errors.New("the file is too short to be a safetensors file")
	}
	n := binary.LittleEndian.Uint64(first)
	switch {
	case n > maxHeader:
		return 0, fmt.Errorf("this is not a safetensors file: its header would take %d bytes", n)
	case int64(n)+8 > fileSize:
		return 0, fmt.Errorf("the file is cut off: its header takes %d bytes and the file has %d", n, fileSize)
	}
	return int64(n), nil
}

// ParseHeader reads the JSON header of a safetensors file of fileSize bytes. It checks the rules
// of the format's audit: types are known, no name occurs twice, every tensor is as long as its
// shape says, and together the tensors cover the file without a hole or an overlap. It returns
// them in the order of their bytes.
func ParseHeader(header []byte, fileSize int64) ([]Tensor, error) {
	var entries map[string]json.RawMessage
	d := json.NewDecoder(bytes.NewReader(header))
	if err := d.Decode(&entries); err != nil {
		return nil, fmt.Errorf("the safetensors header is not a JSON object: %w", err)
	}
	if err := uniqueKeys(header); err != nil {
		return nil, err
	}
	data := int64(len(header)) + 8
	var list []Tensor
	for name, raw := range entries {
		if name == "__metadata__" {
			var meta map[string]string
			if err := json.Unmarshal(raw, &meta); err != nil {
				return nil, errors.New("the safetensors header's __metadata__ is not a map of strings")
			}
			continue
		}
		var e struct {
			DType   string   `json:"dtype"`
			Shape   []int64  `json:"shape"`
			Offsets [2]int64 `json:"data_offsets"`
		}
		if err := json.Unmarshal(raw, &e); err != nil {
			return nil, fmt.Errorf("the safetensors header's entry %q: %w", name, err)
		}
		bits, ok := dtypeBits[e.DType]
		if !ok {
			return nil, fmt.Errorf("tensor %q has the unknown type %q", name, e.DType)
		}
		count := int64(1)
		t := Tensor{Name: name, DType: e.DType, Begin: data + e.Offsets[0], End: data + e.Offsets[1]}
		for _, s := range e.Shape {
			if s < 0 || s > math.MaxInt32 || s > 0 && count > math.MaxInt64/8/s {
				return nil, fmt.Errorf("tensor %q has the impossible shape %v", name, e.Shape)
			}
			count *= s
			t.Shape = append(t.Shape, int(s))
		}
		if e.Offsets[0] < 0 || e.Offsets[1] < e.Offsets[0] || e.Offsets[1] > fileSize-data {
			return nil, fmt.Errorf("tensor %q is outside of the file: the file is cut off or damaged", name)
		}
		if count > math.MaxInt64/bits || e.Offsets[1]-e.Offsets[0] != count*bits/8 {
			return nil, fmt.Errorf("tensor %q takes %d bytes, but its shape %v of %s needs %d", name, e.Offsets[1]-e.Offsets[0], e.Shape, e.DType, count*bits/8)
		}
		list = append(list, t)
	}
	sort.Slice(list, func(i, j int) bool {
		if list[i].Begin != list[j].Begin {
			return list[i].Begin < list[j].Begin
		}
		return list[i].End < list[j].End
	})
	at := data
	for _, t := range list {
		if t.Begin != at {
			return nil, fmt.Errorf("tensor %q begins at byte %d and the one before it ends at %d: the file is damaged", t.Name, t.Begin, at)
		}
		at = t.End
	}
	if at != fileSize {
		return nil, fmt.Errorf("the tensors end at byte %d and the file at %d: the file is cut off or damaged", at, fileSize)
	}
	return list, nil
}

// uniqueKeys refuses a header that names a tensor twice: different readers would read it
// differently.
func uniqueKeys(header []byte) error {
	d := json.NewDecoder(bytes.NewReader(header))
	seen := map[string]bool{}
	depth, key := 0, true
	for {
		token, err := d.Token()
		if err != nil {
			return nil // the end, or what the decoder reported already
		}
		switch v := token.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				depth++
			} else {
				depth--
			}
			key = depth == 1
		case string:
			if depth == 1 && key {
				if seen[v] {
					return fmt.Errorf("the safetensors header names %q twice", v)
				}
				seen[v] = true
				key = false
				continue
			}
		}
		if depth == 1 {
			key = true
		}
	}
}
