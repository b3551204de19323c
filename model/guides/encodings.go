package guides

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"

	"github.com/imprompt/imprompt/gpu"
)

// Encodings keep what the encoders made of words and pictures from one run to the next, so
// that a run with another seed or other words does not load the image encoder again. They
// are small. The zero value is empty.
type Encodings struct{ list []encoding } // ordered by their last use, the latest at the end

type encoding struct {
	key    string
	tensor *gpu.Tensor
}

// keptEncodings is how many are kept from one run to the next.
const keptEncodings = 16

// Get returns the tensor that is kept under a key, or else the one that encode returns,
// which is then kept. The key says what was encoded and by which networks. Get's caller
// must not release the tensor; it stays at least until the run has ended.
func (e *Encodings) Get(key string, encode func() (*gpu.Tensor, error)) (*gpu.Tensor, error) {
	for i, x := range e.list {
		if x.key == key {
			e.list = append(append(e.list[:i:i], e.list[i+1:]...), x)
			return x.tensor, nil
		}
	}
	t, err := encode()
	if err == nil {
		e.list = append(e.list, encoding{key, t})
	}
	return t, err
}

// Trim releases those that were used longest ago. The pipeline calls it between runs.
func (e *Encodings) Trim() {
	for len(e.list) > keptEncodings {
		e.list[0].tensor.Release()
		e.list = e.list[1:]
	}
}

// Release releases all of them.
func (e *Encodings) Release() {
	for _, x := range e.list {
		x.tensor.Release()
	}
	e.list = nil
}

// Fingerprint identifies pictures in a key of Encodings.
func Fingerprint(pixels ...[]float32) string {
	h := fnv.New128a()
	var b []byte
	for _, p := range pixels {
		b = b[:0]
		for _, v := range p {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		h.Write(b)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}
