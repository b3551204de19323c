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
	sizes := map[string]int64{"F32": 4, "BF16": 2, "F16": 2, "U8": 1, "I64": 8}
	types := []string{"F32", "BF16", "F16", "U8", "I64"}
	for range 300 {
		var tensors []loader.Tensor
		begin := int64(100)
		at := begin
		for i := range 1 + r.IntN(8) {
			d := types[r.IntN(len(types))]
			n := r.IntN(60)
			tensors = append(tensors, loader.Tensor{Name: fmt.Sprint("t", i), DType: d, Shape: []int{n}, Begin: at, End: at + int64(n)*sizes[d]})
			at += int64(n) * sizes[d]
		}
		limit := int64(8 + r.IntN(120))
		p, err := planTensors(tensors, at, limit)
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
				if x.DType == "F32" || x.DType == "BF16" {
					t.Fatalf("%+v is not converted", x)
				}
			}
		}
		for _, s := range p.slices {
			if s.from != from || s.at != out || s.to-s.from > limit || s.to <= s.from {
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
