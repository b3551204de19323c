package gpu

import (
	"fmt"
	"math"

	"github.com/imprompt/imprompt/wgsl"
)

// Param is the value of a field of a kernel's struct Params: an int or a bool (1 or 0) for
// a u32, an int for an i32, a float64 for an f32.
type Param struct {
	Name  string
	Value any
}

// packParams lays a kernel's uniform out, padded to a multiple of 16 bytes. Every field of
// the kernel's struct Params has to be given, once, and nothing else.
func packParams(k *wgsl.Kernel, params []Param) ([]uint32, error) {
	words := make([]uint32, (len(k.Params)+3)/4*4)
	used := make([]bool, len(params))
	for i, field := range k.Params {
		at := -1
		for j, p := range params {
			if p.Name == field.Name && !used[j] {
				at = j
				break
			}
		}
		if at < 0 {
			return nil, fmt.Errorf("parameter %q is missing", field.Name)
		}
		used[at] = true
		word, ok := packParam(field.Type, params[at].Value)
		if !ok {
			return nil, fmt.Errorf("parameter %q is %s in the kernel and cannot be %T %v", field.Name, field.Type, params[at].Value, params[at].Value)
		}
		words[i] = word
	}
	for j, p := range params {
		if !used[j] {
			return nil, fmt.Errorf("the kernel has no parameter %q, or it is given twice", p.Name)
		}
	}
	return words, nil
}

func packParam(kind string, value any) (word uint32, ok bool) {
	switch v := value.(type) {
	case int:
		switch kind {
		case "u32":
			return uint32(v), v >= 0 && v <= math.MaxUint32
		case "i32":
			return uint32(int32(v)), v >= math.MinInt32 && v <= math.MaxInt32
		}
	case bool:
		if v {
			word = 1
		}
		return word, kind == "u32"
	case float64:
		return math.Float32bits(float32(v)), kind == "f32"
	}
	return 0, false
}
