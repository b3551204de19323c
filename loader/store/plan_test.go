package store

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/imprompt/imprompt/loader"
)

// Whatever the tensors and the limit, the slices cover the source and the stored file
// without hole, cut no number, and the header that is written is one that the reader
// accepts, with the bytes that were planned.
func TestPlanTensors(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	sizes := map[string]int64{"F32": 4, "BF16": 2, "F16": 2, "U8": 1, "I64": 8, "F64": 8, "F8_E4M3": 1}
	types := []string{"F32", "BF16", "F16", "U8", "I64", "F64", "F8_E4M3"}
	for round := range 400 {
		pickled := round >= 300 // with bytes of no tensor before, between and after the tensors
		var tensors []loader.Tensor
		begin := int64(100)
		limit := int64(8 + r.IntN(120))
		if pickled {
			begin, limit = 0, 32+limit
		}
		at := begin
		for i := range 1 + r.IntN(8) {
			d := types[r.IntN(len(types))]
			n := r.IntN(60)
			if pickled {
				at += int64(r.IntN(12))
			}
			tensors = append(tensors, loader.Tensor{Name: fmt.Sprint("t", i), DType: d, Shape: []int{n}, Begin: at, End: at + int64(n)*sizes[d]})
			at += int64(n) * sizes[d]
		}
		p, err := planTensors(tensors, at, limit)
		if pickled {
			at += int64(r.IntN(12))
			p, err = planPickle(tensors, at, limit)
			if len(tensors) > 1 && !p.converted {
				t.Fatalf("%+v are stored as they are", tensors)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		from, out := int64(0), int64(0)
		if p.converted {
			from, out = begin, int64(len(p.header))
			n := int64(binary.LittleEndian.Uint64(p.header))
			if n+8 != out {
				t.Fatalf("the header says %d and has %d bytes", n, out-8)
			}
			list, err := loader.ParseHeader(p.header[8:], p.size)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range list {
				if x.DType == "F32" || x.DType == "BF16" || x.DType == "F64" {
					t.Fatalf("%+v is not converted", x)
				}
			}
		}
		for _, s := range p.slices {
			if s.from != from || s.at != out || s.to-s.from > limit+12 || s.to-s.from > limit && !pickled || s.to <= s.from || s.size == 0 {
				t.Fatalf("slice %+v after source byte %d, stored byte %d (limit %d)", s, from, out, limit)
			}
			var in, made int64
			for _, g := range s.segments {
				in += g.bytes
				switch g.conversion {
				case fromF32:
					if g.bytes%4 != 0 {
						t.Fatalf("a number is cut in %+v", s)
					}
					made += g.bytes / 2
				case fromF64:
					if g.bytes%8 != 0 {
						t.Fatalf("a number is cut in %+v", s)
					}
					made += g.bytes / 4
				case drop:
					if !pickled {
						t.Fatalf("bytes are dropped in %+v", s)
					}
				case fromBF16:
					if g.bytes%2 != 0 {
						t.Fatalf("a number is cut in %+v", s)
					}
					made += g.bytes
				default:
					made += g.bytes
				}
			}
			if in != s.to-s.from || made != s.size {
				t.Fatalf("slice %+v: its segments take %d and make %d bytes", s, in, made)
			}
			from, out = s.to, s.at+s.size
		}
		if from != at || out != p.size {
			t.Fatalf("the slices end at source byte %d of %d, stored byte %d of %d", from, at, out, p.size)
		}
	}
}

// An embedding keeps its bytes, by whose hash other programs know it.
func TestPlanOfAnEmbedding(t *testing.T) {
	one := loader.Tensor{Name: "emb_params", DType: "F32", Shape: []int{2, 4}, Begin: 100, End: 132}
	if p, err := planTensors([]loader.Tensor{one}, 132, 1<<20); err != nil || p.converted || p.size != 132 {
		t.Errorf("it is stored as %+v (%v)", p, err)
	}
}

// A pickle from which no safetensors file can be made slice by slice stays as it is.
func TestPlanOfAPickle(t *testing.T) {
	tensor := func(name string, begin, end int64, strides ...int) loader.Tensor {
		return loader.Tensor{Name: name, DType: "F16", Shape: []int{int(end-begin) / 2}, Begin: begin, End: end, Strides: strides}
	}
	for name, list := range map[string][]loader.Tensor{
		"shared":    {tensor("a", 100, 200), tensor("b", 150, 200)},
		"not dense": {tensor("a", 100, 200), tensor("b", 200, 300, 2)},
		"training":  {tensor("a", 100, 200), tensor("b", 900, 1000)},
		"embedding": {tensor("a", 100, 200)},
	} {
		if p, err := planPickle(list, 1000, 1000); err != nil || p.converted || p.size != 1000 {
			t.Errorf("%s: it is stored as %+v (%v)", name, p, err)
		}
	}
}
