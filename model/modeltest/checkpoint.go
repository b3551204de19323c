package modeltest

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/gpu/webapi"
)

// synthetic is a checkpoint without a file. Every number is a hash of its tensor's name and
// its position, as in tests/reference/weights.py.
type synthetic struct {
	prefix string
	shapes map[string][]int
	f32    bool // whether the checkpoint says F32, not F16; the numbers are the same
}

func (s synthetic) Names() []string { return slices.Sorted(maps.Keys(s.shapes)) }

func (s synthetic) Info(name string) (string, []int, bool) {
	shape, ok := s.shapes[name]
	if s.f32 {
		return "F32", shape, ok
	}
	return "F16", shape, ok
}

func (s synthetic) Read(_ context.Context, name string, off, n int64) (webapi.Bytes, error) {
	v := hashed(s.prefix+name, name, s.shapes[name])
	var raw []byte
	for _, x := range v {
		if s.f32 {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
		} else {
			raw = binary.LittleEndian.AppendUint16(raw, gpu.Float16(x))
		}
	}
	return webapi.BytesOf(raw[off : off+n]), nil
}

// Uniform is weights.py's uniform: splitmix64 of the name's hash, in [-1, 1).
func Uniform(name string, i int) float64 { return uniform(seed(name), i) }

func seed(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return h.Sum64()
}

func uniform(seed uint64, i int) float64 {
	z := seed + (uint64(i)+1)*0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	z ^= z >> 31
	return float64(z>>40)/(1<<23) - 1
}

// Values are the numbers of a tensor with that name and shape, as weights.py's tensor makes them.
func Values(name string, shape []int) []float32 { return hashed(name, name, shape) }

// hashed is Values for a tensor that has the name key in its file. The key says how its numbers are
// scaled, and the name, which is unique among all models, is hashed.
func hashed(name, key string, shape []int) []float32 {
	count, fan := 1, 1
	for i, s := range shape {
		count *= s
		if i > 0 {
			fan *= s
		}
	}
	scale, gain, offset := math.Sqrt(3/float64(fan)), 1.0, 0.0
	switch {
	case len(shape) == 1 && (strings.HasSuffix(key, ".weight") || strings.HasSuffix(key, ".lambda1")):
		scale, offset = 0.25, 1
	case len(shape) == 1:
		scale = 0.1
	case strings.Contains(key, "controlnet_cond_embedding") || strings.Contains(key, "feature_extractor"):
		gain = 1.7
	case strings.Contains(key, "embedding") && !strings.Contains(key, "patch_embeddings") || strings.HasSuffix(key, "latents"):
		scale = 0.5
	}
	v := make([]float32, count)
	for i, seed := 0, seed(name); i < count; i++ {
		v[i] = gpu.Float32(gpu.Float16(float32(offset + uniform(seed, i)*scale*gain)))
	}
	return v
}

// Picture is pipelines.py's picture: [h, w, 3] in -1..1, with a hashed colour for each square
// of 4 × 4 pixels.
func Picture(name string, h, w int) []float32 {
	sh, sw := h/4+1, w/4+1
	v := make([]float32, 0, 3*h*w)
	for y := range h {
		for x := range w {
			for c := range 3 {
				v = append(v, float32(Uniform(name, (c*sh+y/4)*sw+x/4)))
			}
		}
	}
	return v
}
