//go:build js && wasm

package gpu

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
)

// The operations at shapes that Stable Diffusion 1.5 has at 512 × 512, with every variant that the
// device has for them. A processor in a GPU's place would take minutes for all of them; it has two
// of the smallest.
func TestRealShapes(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		if testWeights == WeightF32 {
			return // no network of this size has weights in f32
		}
		convs := []convCase{
			{n: 2, h: 64, w: 64, c: 320, out: 320, size: 3, pad: 1, bias: true, residual: true},
			{n: 2, h: 32, w: 32, c: 640, c2: 320, out: 640, size: 3, pad: 1, bias: true},
			{n: 2, h: 32, w: 32, c: 640, out: 640, size: 3, pad: 1, up: [2]int{64, 64}, bias: true},
			{n: 1, h: 256, w: 256, c: 128, out: 128, size: 3, pad: 1, bias: true}, // the decoder's
			{n: 2, h: 64, w: 64, c: 320, out: 960, size: 1},
			{n: 2, h: 16, w: 16, c: 1280, out: 1280, size: 1, bias: true, residual: true},
		}
		attentions := []struct{ tokens, heads, size int }{{4096, 8, 40}, {1024, 8, 80}, {256, 8, 160}, {1024, 1, 512}}
		if d.Info.Software {
			convs, attentions = []convCase{{n: 2, h: 64, w: 64, c: 4, out: 320, size: 3, pad: 1, bias: true}}, attentions[2:3]
		}
		rng := rand.New(rand.NewPCG(31, 32))
		before := d.kernels
		defer func() { d.kernels = before }()
		with := func(name string, class Class, test func(t *testing.T, v Variant)) {
			for _, v := range d.Variants(class) {
				if d.Info.Software && v.Name != d.Variants(class)[0].Name {
					continue
				}
				if err := d.SetKernels(before.With(string(class), v.Name)); err != nil {
					t.Fatal(err)
				}
				t.Run(name+", "+v.Name, func(t *testing.T) { test(t, v) })
			}
		}
		for _, c := range convs {
			class := LinearClass
			switch {
			case c.up != [2]int{}:
				class = UpsampleClass
			case c.size > 1:
				class = ConvClass
			}
			with(c.String(), class, func(t *testing.T, v Variant) {
				c := c
				c.sampled, c.phases, c.winograd = true, v.Name == "phases", winogradTile(v.Name)
				if v.Name == "short" {
					c.variant = v.Name
				}
				testConv(t, d, rng, c)
			})
		}
		for _, c := range attentions {
			with(fmt.Sprintf("attention of %d tokens, %d heads of %d", c.tokens, c.heads, c.size), AttentionClass, func(t *testing.T, _ Variant) {
				ch := c.heads * c.size
				x, xv := input(d, Act, normals(rng, c.tokens*3*ch), 1, c.tokens, 3*ch)
				p := d.NewProgram("test")
				y := Attention(p, x, x, AttentionOptions{Label: "y", Heads: c.heads, HeadSize: c.size, KAt: ch, VAt: 2 * ch})
				run(t, p, 0)
				a := attentionCase{c.tokens, c.tokens, c.heads, c.size, at(xv, c.tokens, 3*ch, 0), at(xv, c.tokens, 3*ch, ch), at(xv, c.tokens, 3*ch, 2*ch), false}
				all := output(t, y)
				var got, want []float32
				for range 12 { // queries
					i, h, sum := rng.IntN(c.tokens), rng.IntN(c.heads), make([]float64, c.size)
					a.attend(sum, 0, i, h, 1)
					got, want = append(got, all[i*ch+h*c.size:][:c.size]...), append(want, toFloat32(sum)...)
				}
				compare(t, "attention", got, want, attentionTolerance(d))
			})
		}
		if d.Info.Software {
			return
		}
		t.Run("group norm of 64x64x320", func(t *testing.T) {
			const pixels, channels, groups = 64 * 64, 320, 32
			w, scale, shift := testNorm(t, d, rng, channels)
			defer w.Release()
			x, xv := input(d, Act, offset(rng, pixels*channels, 10), 1, 64, 64, channels)
			p := d.NewProgram("test")
			y := GroupNorm(p, x, w, GroupNormOptions{Label: "y", Groups: groups, Eps: 1e-6})
			run(t, p, 0)
			all := output(t, y)
			const size = channels / groups
			for _, g := range []int{0, groups - 1} {
				var group, got []float32
				for i := range pixels {
					group = append(group, xv[i*channels+g*size:][:size]...)
					got = append(got, all[i*channels+g*size:][:size]...)
				}
				referenceNorm(group, group, 1e-6)
				for i := range group {
					k := g*size + i%size
					group[i] = group[i]*scale[k] + shift[k]
				}
				compare(t, "group "+strconv.Itoa(g), got, group, normTolerance(d)+3e-6)
			}
		})
	})
}

// The benchmark measures a pace for every kind of work that it lists, and the trials, which take
// minutes on a processor, a time for every variant. A page that checks the GPU is told both.
func TestBenchmark(t *testing.T) {
	ctx := context.Background()
	paths := testPaths()
	d := testDevice(t, paths[0])
	d.Guard = false
	tell := func(key string, value any) {
		b, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		if backend == "card" {
			t.Attr(key, string(b))
		}
	}
	paces, err := d.Paces(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for key, pace := range paces {
		if !(pace > 0) {
			t.Errorf("%s takes %g s", key, pace)
		}
	}
	tell("paces", paces)
	if backend != "card" || d.Info.Software {
		return
	}
	trials, err := d.Try(ctx)
	if err != nil {
		t.Fatal(err)
	}
	tell("trials", trials)
}
