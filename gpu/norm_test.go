package gpu

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// normTolerance: statistics are f32, and with f16 the result is rounded once.
func normTolerance(d *Device) float64 {
	if d.F16 {
		return 4e-4
	}
	return 3e-6
}

func testNorm(t *testing.T, d *Device, rng *rand.Rand, c int) (*NormWeight, []float32, []float32) {
	ctx := context.Background()
	s, sv := parameter(d, rng, "F16", 1, c)
	b, bv := parameter(d, rng, "F32", 1, c)
	scale, err := d.UploadVector(ctx, "scale", s)
	if err != nil {
		t.Fatal(err)
	}
	shift, err := d.UploadVector(ctx, "shift", b)
	if err != nil {
		t.Fatal(err)
	}
	return NewNormWeight(c, scale, shift), sv, bv
}

// offset draws numbers with a mean that is large compared to their deviations. A norm must lose
// no more of them than the input's rounding does.
func offset(rng *rand.Rand, n int, mean float32) []float32 {
	v := normals(rng, n)
	for i := range v {
		v[i] = Float32(Float16(v[i] + mean))
	}
	return v
}

func TestLayerNorm(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		rng := rand.New(rand.NewPCG(9, 10))
		for _, c := range []struct{ rows, c int }{{1, 4}, {3, 20}, {77, 320}, {2, 1028}} {
			w, scale, shift := testNorm(t, d, rng, c.c)
			x, xv := input(d, Act, offset(rng, c.rows*c.c, 30), 1, c.rows, c.c)
			p := d.NewProgram("test")
			y := LayerNorm(p, x, w, 1e-5, "y")
			run(t, p, 0)
			want := make([]float32, len(xv))
			for r := range c.rows {
				referenceNorm(xv[r*c.c:(r+1)*c.c], want[r*c.c:(r+1)*c.c], 1e-5)
				for i := range c.c {
					want[r*c.c+i] = want[r*c.c+i]*scale[i] + shift[i]
				}
			}
			compare(t, fmt.Sprint(c), output(t, y), want, normTolerance(d))
			w.Release()
		}
	})
}

// referenceNorm sets y to (x - mean) / standard deviation, in float64.
func referenceNorm(x, y []float32, eps float64) {
	var mean, variance float64
	for _, v := range x {
		mean += float64(v) / float64(len(x))
	}
	for _, v := range x {
		variance += (float64(v) - mean) * (float64(v) - mean) / float64(len(x))
	}
	for i, v := range x {
		y[i] = float32((float64(v) - mean) / math.Sqrt(variance+eps))
	}
}

func TestGroupNorm(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		rng := rand.New(rand.NewPCG(11, 12))
		for _, c := range []struct{ n, h, w, c, c2, groups int }{
			{1, 1, 1, 4, 0, 1}, {2, 5, 7, 20, 0, 4}, {1, 9, 13, 40, 0, 4}, {2, 6, 5, 20, 40, 6}, {2, 33, 31, 320, 0, 32}, {1, 130, 70, 16, 0, 8}, {1, 3, 5, 640, 320, 32},
		} {
			channels := c.c + c.c2
			pixels := c.h * c.w
			w, scale, shift := testNorm(t, d, rng, channels)
			x, xv := input(d, Act, offset(rng, c.n*pixels*c.c, 10), c.n, c.h, c.w, c.c)
			o := GroupNormOptions{Label: "y", Groups: c.groups, Eps: 1e-6, Activation: SiLU}
			var x2v []float32
			if c.c2 > 0 {
				o.X2, x2v = input(d, Act, offset(rng, c.n*pixels*c.c2, -20), c.n, c.h, c.w, c.c2)
			}
			p := d.NewProgram("test")
			y := GroupNorm(p, x, w, o)
			run(t, p, 0)

			want := make([]float32, c.n*pixels*channels)
			size := channels / c.groups
			for n := range c.n {
				for g := range c.groups {
					group := make([]float32, 0, pixels*size)
					for i := range pixels {
						for k := g * size; k < (g+1)*size; k++ {
							if k < c.c {
								group = append(group, xv[(n*pixels+i)*c.c+k])
							} else {
								group = append(group, x2v[(n*pixels+i)*c.c2+k-c.c])
							}
						}
					}
					referenceNorm(group, group, 1e-6)
					for i := range pixels {
						for j := range size {
							k := g*size + j
							v := float64(group[i*size+j]*scale[k] + shift[k])
							want[(n*pixels+i)*channels+k] = float32(referenceActivation(SiLU, v))
						}
					}
				}
			}
			// Rounding the group's mean to f32 is an error of 1e-7 of it, compared to deviations of 1.
			compare(t, fmt.Sprint(c), output(t, y), want, normTolerance(d)+3e-6)
			w.Release()
		}
	})
}

// A norm without weights is modulated by maps that all entries share.
func TestModulatedGroupNorm(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		rng := rand.New(rand.NewPCG(13, 14))
		const n, h, w, c, groups = 2, 5, 7, 20, 4
		const pixels = h * w
		x, xv := input(d, Act, offset(rng, n*pixels*c, 10), n, h, w, c)
		gamma, gv := input(d, Act, normals(rng, pixels*c), 1, h, w, c)
		beta, bv := input(d, Act, normals(rng, pixels*c), 1, h, w, c)
		p := d.NewProgram("test")
		y := ModulatedGroupNorm(p, x, gamma, beta, GroupNormOptions{Label: "y", Groups: groups, Eps: 1e-5, Activation: SiLU})
		run(t, p, 0)
		want := make([]float32, len(xv))
		for e := range n {
			for g := range groups {
				var group []float32
				for i := range pixels {
					group = append(group, xv[(e*pixels+i)*c+g*c/groups:][:c/groups]...)
				}
				referenceNorm(group, group, 1e-5)
				for i, v := range group {
					at := i/(c/groups)*c + g*c/groups + i%(c/groups)
					want[e*pixels*c+at] = float32(referenceActivation(SiLU, float64(v)*(1+float64(gv[at]))+float64(bv[at])))
				}
			}
		}
		compare(t, "modulated", output(t, y), want, normTolerance(d)+3e-6)
	})
}
