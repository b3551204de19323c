package gpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// attentionTolerance: scores and sums are f32, exp2 has an error of about 1e-6, and with f16
// the result is rounded once.
func attentionTolerance(d *Device) float64 {
	if d.F16 {
		return 5e-4
	}
	return 1e-5
}

// attentionCase is what referenceAttention computes with.
type attentionCase struct {
	tq, tk, heads, d int
	q, k, v          func(b, t, c int) float64
	causal           bool
}

// referenceAttention adds weight(b, t) · softmax(q·kᵗ/√d)·v to out, in float64.
func referenceAttention(out []float64, b int, a attentionCase, weight func(b, t int) float64) {
	c := a.heads * a.d
	for n := range b {
		for i := range a.tq {
			for h := range a.heads {
				a.attend(out[(n*a.tq+i)*c+h*a.d:], n, i, h, weight(n, i))
			}
		}
	}
}

// attend adds what query i of head h sees to the d numbers of out.
func (a attentionCase) attend(out []float64, n, i, h int, weight float64) {
	scores := make([]float64, a.tk)
	top := math.Inf(-1)
	for j := range a.tk {
		for e := range a.d {
			scores[j] += a.q(n, i, h*a.d+e) * a.k(n, j, h*a.d+e)
		}
		scores[j] /= math.Sqrt(float64(a.d))
		if a.causal && j > i {
			scores[j] = math.Inf(-1)
		}
		top = max(top, scores[j])
	}
	var sum float64
	for j := range a.tk {
		scores[j] = math.Exp(scores[j] - top)
		sum += scores[j]
	}
	for j := range a.tk {
		for e := range a.d {
			out[e] += weight * scores[j] / sum * a.v(n, j, h*a.d+e)
		}
	}
}

func one(int, int) float64 { return 1 }

func at(values []float32, tokens, pitch, offset int) func(b, t, c int) float64 {
	return func(b, t, c int) float64 { return float64(values[(b*tokens+t)*pitch+offset+c]) }
}

// testTile is a variant and its tile in a test; without a tile it is the one that is chosen.
type testTile struct {
	variant string
	tile    attentionTile
}

var single = testTile{variant: "single"}

// product is a tile of attention_tile.wgsl.
var product = testTile{"tile", attentionTile{split: 2, keys: 8, run: 4, threads: 8, queries: 16, depth: 2}}

// pairOf is a tile of attention_pair.wgsl. The tests name small tiles, because a processor's
// compiler takes seconds for the large.
func pairOf(split, keys, run, threads int) testTile {
	return testTile{"pair", attentionTile{split: split, keys: keys, run: run, threads: threads, queries: 2 * threads / split}}
}

// The tiles of attention_pair.wgsl fit in 16 KiB of workgroup memory and divide a head, their
// runs divide the keys, and the threads of a head are in one subgroup.
func TestChoosePairTile(t *testing.T) {
	for quads := 1; quads <= 128; quads++ {
		for _, subgroup := range []int{4, 8, 16, 32, 64} {
			tile, ok := choosePairTile(quads, subgroup)
			if !ok {
				continue
			}
			// Each thread's part of a tile ends with an unused vec4.
			if room := (tile.keys*quads + tile.split) * 32; room > 16<<10 || quads%tile.split != 0 || tile.keys%tile.run != 0 || tile.split > subgroup || tile.threads > 256 {
				t.Errorf("%d vec4, subgroups of %d: %+v takes %d bytes", quads, subgroup, tile, room)
			}
		}
	}
	for _, head := range []int{40, 64, 80, 160, 512} {
		if _, ok := choosePairTile(head/4, 32); !ok {
			t.Errorf("heads of %d have no tile", head)
		}
	}
}

// The tiles of attention_tile.wgsl fit in 16 KiB of workgroup memory and divide a head, and every
// row of threads that loads is there.
func TestChooseProductTile(t *testing.T) {
	for quads := 1; quads <= 128; quads++ {
		tile, ok := chooseProductTile(quads)
		if !ok {
			continue
		}
		rows, each := tile.threads/tile.split, quads/tile.split
		room := 16 * (4*rows*max(tile.split, tile.depth) + 4*tile.split*max(tile.depth, each*tile.run/4, (rows+3)/4))
		if room > 16<<10 || quads%tile.split != 0 || tile.run%4 != 0 || tile.run > rows || tile.depth > rows || tile.depth > tile.split || tile.threads > 256 {
			t.Errorf("%d vec4: %+v takes %d bytes", quads, tile, room)
		}
	}
	for _, head := range []int{40, 64, 80, 160, 512} {
		if _, ok := chooseProductTile(head / 4); !ok {
			t.Errorf("heads of %d have no tile", head)
		}
	}
}

// Self-attention with q, k and v in one tensor, for the head sizes of SD 1.5, CLIP and the
// VAE, with token counts just below and above a multiple of a tile.
func TestSelfAttention(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		rng := rand.New(rand.NewPCG(13, 14))
		for _, c := range []struct {
			b, t, heads, d int
			causal, gpu    bool // gpu: use a GPU's kernel on every device
			kernel         testTile
		}{{1, 1, 1, 4, false, false, single}, {2, 77, 3, 20, true, false, single}, {1, 65, 2, 40, false, false, single}, {2, 33, 2, 64, true, false, single}, {1, 100, 2, 80, false, false, single},
			{2, 17, 1, 160, false, false, single}, {1, 70, 1, 128, false, false, single}, {1, 20, 1, 512, false, false, single}, {1, 19, 2, 92, false, false, single},
			{2, 67, 2, 8, true, true, single}, {1, 37, 1, 48, false, true, single},
			{2, 67, 2, 16, true, true, pairOf(2, 8, 2, 64)}, {1, 37, 1, 48, false, true, pairOf(4, 4, 2, 64)}, {1, 35, 1, 96, false, true, pairOf(8, 4, 4, 128)},
			{2, 21, 2, 8, true, true, product}} {
			if c.kernel.variant == "pair" && c.kernel.tile.split > d.SubgroupMin {
				continue // a device with subgroups of four, as SwiftShader is
			}
			ch := c.heads * c.d
			x, xv := input(d, Act, normals(rng, c.b*c.t*3*ch), c.b, c.t, 3*ch)
			p := d.NewProgram("test")
			y := Attention(p, x, x, AttentionOptions{Label: "y", Heads: c.heads, HeadSize: c.d, Causal: c.causal, KAt: ch, VAt: 2 * ch, tiled: c.gpu, variant: c.kernel.variant, tile: c.kernel.tile})
			run(t, p, 0)
			want := make([]float64, c.b*c.t*ch)
			referenceAttention(want, c.b, attentionCase{c.t, c.t, c.heads, c.d, at(xv, c.t, 3*ch, 0), at(xv, c.t, 3*ch, ch), at(xv, c.t, 3*ch, 2*ch), c.causal}, one)
			compare(t, fmt.Sprintf("%+v", c), output(t, y), toFloat32(want), attentionTolerance(d))
			t.Logf("%+v", c)
		}
	})
}

// Text and two image prompts, one of them masked, with λ from the step's row. With λ = 0 the
// result is the same as without image prompts, bit for bit.
func TestCrossAttention(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		rng := rand.New(rand.NewPCG(15, 16))
		for _, c := range []struct {
			b, tq, heads, d int
			gpu             bool
			kernel          testTile
		}{{2, 63, 2, 20, false, single}, {1, 130, 1, 40, false, single}, {2, 15, 2, 80, false, single}, {1, 66, 1, 160, false, single}, {1, 70, 1, 8, true, single}, {1, 67, 2, 16, true, pairOf(2, 8, 4, 64)}, {1, 37, 2, 8, true, product}} {
			ch := c.heads * c.d
			const text, layers, prompts = 77, 3, 2
			counts := []int{4, 17}
			q, qv := input(d, Act, normals(rng, c.b*c.tq*ch), c.b, c.tq, ch)
			kv, kvv := input(d, Act, normals(rng, c.b*text*2*ch), c.b, text, 2*ch)
			images, iv := input(d, Act, normals(rng, c.b*21*2*ch), c.b, 21, 2*ch)
			masks, mv := input(d, F32, normals(rng, c.tq), 1, c.tq)
			spans := d.NewTensor("spans", U32, prompts, 4)
			spans.SetUint32([]uint32{0, 4, 0, 0, 4, 17, 1, 0})
			// Step 0: all zero; step 1: this layer's two λ.
			lambda, _ := input(d, F32, []float32{9, 9, 0, 0, 9, 9, 9, 9, 0.6, 1.25, 9, 9}, 2, layers*prompts)
			record := func(im *ImageAttention) (*Program, *Tensor) {
				p := d.NewProgram("test")
				return p, Attention(p, q, kv, AttentionOptions{Label: "y", Heads: c.heads, HeadSize: c.d, VAt: ch, Image: im, tiled: c.gpu, variant: c.kernel.variant, tile: c.kernel.tile})
			}
			im := &ImageAttention{KV: images, Spans: spans, Prompts: prompts, Lambda: lambda, Layer: 1, Masks: masks}

			p, y := record(im)
			run(t, p, 1)
			want := make([]float64, c.b*c.tq*ch)
			referenceAttention(want, c.b, attentionCase{c.tq, text, c.heads, c.d, at(qv, c.tq, ch, 0), at(kvv, text, 2*ch, 0), at(kvv, text, 2*ch, ch), false}, one)
			first := 0
			for i, lambda := range []float64{0.6, 1.25} {
				weight := func(_, t int) float64 {
					if i == 1 {
						return lambda * float64(mv[t])
					}
					return lambda
				}
				referenceAttention(want, c.b, attentionCase{c.tq, counts[i], c.heads, c.d, at(qv, c.tq, ch, 0),
					shifted(at(iv, 21, 2*ch, 0), first), shifted(at(iv, 21, 2*ch, ch), first), false}, weight)
				first += counts[i]
			}
			compare(t, fmt.Sprintf("%+v", c), output(t, y), toFloat32(want), attentionTolerance(d))
			t.Logf("%+v", c)

			p, y = record(im)
			run(t, p, 0)
			base, z := record(nil)
			run(t, base, 0)
			got, plain := output(t, y), output(t, z)
			for i := range got {
				if math.Float32bits(got[i]) != math.Float32bits(plain[i]) {
					t.Fatalf("λ = 0: number %d is %g, without image prompts it is %g", i, got[i], plain[i])
				}
			}
		}
	})
}

func shifted(f func(b, t, c int) float64, by int) func(b, t, c int) float64 {
	return func(b, t, c int) float64 { return f(b, t+by, c) }
}
