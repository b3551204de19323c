package gpu

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// embedTolerance: two numbers are added in f32, and with f16 the sum is rounded once.
func embedTolerance(d *Device) float64 {
	if d.F16 {
		return 4e-4
	}
	return 1e-7
}

// testTable uploads a table and returns it with its values as the GPU holds them.
func testTable(t *testing.T, d *Device, rng *rand.Rand, dtype string, rows, channels int) (*Table, []float32) {
	t.Helper()
	param, values := parameter(d, rng, dtype, 1, rows, channels)
	table, err := d.NewTable(context.Background(), "table", param)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(table.Release)
	return table, values
}

func TestEmbedTokens(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		rng := rand.New(rand.NewPCG(19, 20))
		for i, c := range []struct{ b, t, vocabulary, positions, channels int }{{1, 1, 1, 1, 4}, {2, 77, 1000, 77, 20}, {3, 5, 49, 8, 36}, {1, 9, 300, 77, 768}} {
			tokens, tv := testTable(t, d, rng, []string{"F16", "F32", "BF16"}[i%3], c.vocabulary, c.channels)
			positions, pv := testTable(t, d, rng, []string{"F32", "BF16", "F16"}[i%3], c.positions, c.channels)
			ids := make([]uint32, c.b*c.t)
			for k := range ids {
				ids[k] = uint32(rng.IntN(c.vocabulary))
			}
			ids[len(ids)-1] = uint32(c.vocabulary - 1)
			in := d.NewTensor("ids", U32, c.b, c.t)
			in.SetUint32(ids)
			p := d.NewProgram("test")
			y := EmbedTokens(p, in, tokens, positions)
			run(t, p, 0)
			var want []float32
			for k, id := range ids {
				for e := range c.channels {
					want = append(want, tv[int(id)*c.channels+e]+pv[k%c.t*c.channels+e])
				}
			}
			compare(t, fmt.Sprintf("%+v", c), output(t, y), want, embedTolerance(d))
		}
	})
}

func TestEmbedPatches(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		rng := rand.New(rand.NewPCG(21, 22))
		for i, c := range []struct{ b, side, channels int }{{1, 1, 4}, {2, 3, 20}, {2, 16, 36}, {1, 7, 768}} {
			length := c.side*c.side + 1
			positions, pv := testTable(t, d, rng, []string{"F16", "F32", "BF16"}[i%3], length, c.channels)
			class := normals(rng, c.channels)
			patches, xv := input(d, Act, normals(rng, c.b*(length-1)*c.channels), c.b, c.side, c.side, c.channels)
			p := d.NewProgram("test")
			y := EmbedPatches(p, patches, d.NewVector("class", class), positions)
			run(t, p, 0)
			var want []float32
			for b := range c.b {
				for k := range length {
					for e := range c.channels {
						v := class[e]
						if k > 0 {
							v = xv[(b*(length-1)+k-1)*c.channels+e]
						}
						want = append(want, v+pv[k*c.channels+e])
					}
				}
			}
			compare(t, fmt.Sprintf("%+v", c), output(t, y), want, embedTolerance(d))
		}
	})
}

// Every code of the 8-bit floats has its value on the GPU. Those of the processor are compared with
// torch's in package loader.
func TestFloat8(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		zeros := MemoryParameter("zeros", make([]float32, 4*64), 64, 4)
		zeros.As = testWeights
		positions, err := d.NewTable(context.Background(), "zeros", zeros)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(positions.Release)
		codes, ids := make([]byte, 256), make([]uint32, 64)
		for i := range codes {
			codes[i] = byte(i)
			ids[i/4] = uint32(i / 4)
		}
		for mantissa, dtype := range map[int]string{2: "F8_E5M2", 3: "F8_E4M3"} {
			param := Parameter{Name: dtype, DType: dtype, Shape: []int{64, 4}, As: testWeights, Read: func(_ context.Context, off, n int64) (webapi.Bytes, error) {
				return webapi.BytesOf(codes[off : off+n]), nil
			}}
			table, err := d.NewTable(context.Background(), dtype, param)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(table.Release)
			in := d.NewTensor("ids", U32, 1, 64)
			in.SetUint32(ids)
			p := d.NewProgram("test")
			y := EmbedTokens(p, in, table, positions)
			run(t, p, 0)
			got := output(t, y)
			for i, code := range codes {
				v := float8(code, mantissa)
				finite := v >= -57344 && v <= 57344 // shaders need not keep infinities and NaN
				if computes && finite && got[i] != v {
					t.Errorf("%s: the code %#x is %v on the GPU, want %v", dtype, code, got[i], v)
				}
			}
		}
	})
}
