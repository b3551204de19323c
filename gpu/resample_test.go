package gpu

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
)

// picked checks an operation on a small picture: once as it is, and once with the result in bands. want is what a sample of
// the result is, of the samples of x.
func picked(t *testing.T, tolerance float64, shape [4]int, op func(d *Device, p *Program, x *Tensor) *Tensor, want func(at func(n, y, x, c int) float64, n, y, x, c int) float64) {
	onEachPath(t, func(t *testing.T, d *Device) {
		rng := rand.New(rand.NewPCG(7, 8))
		x, xv := input(d, Act, normals(rng, shape[0]*shape[1]*shape[2]*shape[3]), shape[:]...)
		at := func(n, y, x, c int) float64 {
			if y < 0 || x < 0 || y >= shape[1] || x >= shape[2] {
				return 0
			}
			return float64(xv[((n*shape[1]+y)*shape[2]+x)*shape[3]+c])
		}
		check := func(what string) (bytes int64) {
			p := d.NewProgram("test")
			y := op(d, p, x)
			if (what == "in bands") != y.inBands() {
				t.Fatalf("%s: the result has %d bands", what, len(y.bands))
			}
			y = y.exactly(p, 0, y.Shape[1])
			p.Keep(y)
			run(t, p, 0)
			wanted := make([]float32, y.Rows()*y.Channels())
			for i := range wanted {
				c, px, py, n := i%y.Shape[3], i/y.Shape[3]%y.Shape[2], i/y.Shape[3]/y.Shape[2]%y.Shape[1], i/y.Shape[3]/y.Shape[2]/y.Shape[1]
				wanted[i] = float32(want(at, n, py, px, c))
			}
			allowed := tolerance
			if d.F16 && tolerance > 0 {
				allowed = 5e-4 // one rounding of f16
			}
			compare(t, what, output(t, y), wanted, allowed)
			return y.Bytes()
		}
		if bytes := check("whole"); shape[0] == 1 {
			limited(d, bytes, func() { check("in bands") })
		}
	})
}

func TestBilinear(t *testing.T) {
	for _, c := range []struct {
		shape [4]int
		to    [2]int
	}{{[4]int{2, 1, 6, 3}, [2]int{4, 9}}, {[4]int{1, 9, 24, 64}, [2]int{40, 23}}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			picked(t, 2e-6, c.shape, func(_ *Device, p *Program, x *Tensor) *Tensor { return Bilinear(p, x, c.to[0], c.to[1], "bilinear") },
				func(at func(n, y, x, c int) float64, n, y, x, k int) float64 {
					place := func(i, in, out int) (int, int, float64) {
						f := float64(i) * float64(in-1) / float64(max(1, out-1))
						return int(f), min(int(f)+1, in-1), f - float64(int(f))
					}
					y0, y1, fy := place(y, c.shape[1], c.to[0])
					x0, x1, fx := place(x, c.shape[2], c.to[1])
					return (at(n, y0, x0, k)*(1-fx)+at(n, y0, x1, k)*fx)*(1-fy) + (at(n, y1, x0, k)*(1-fx)+at(n, y1, x1, k)*fx)*fy
				})
		})
	}
}

func TestReflectPad(t *testing.T) {
	for _, c := range []struct {
		shape [4]int
		size  int
	}{{[4]int{2, 4, 5, 3}, 3}, {[4]int{1, 23, 24, 64}, 1}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			picked(t, 0, c.shape, func(_ *Device, p *Program, x *Tensor) *Tensor { return ReflectPad(p, x, c.size, "pad") },
				func(at func(n, y, x, c int) float64, n, y, x, k int) float64 {
					mirror := func(i, n int) int {
						i = max(i, -i)
						return min(i, 2*(n-1)-i)
					}
					return at(n, mirror(y-c.size, c.shape[1]), mirror(x-c.size, c.shape[2]), k)
				})
		})
	}
}

func TestActivate(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		x, xv := input(d, Act, normals(rand.New(rand.NewPCG(1, 2)), 60), 4, 15)
		p := d.NewProgram("test")
		y := Activate(p, x, ReLU, "relu")
		p.Keep(y)
		run(t, p, 0)
		want := make([]float32, len(xv))
		for i, v := range xv {
			want[i] = max(v, 0)
		}
		compare(t, "relu", output(t, y), want, 0)
	})
}

// Transposed convolutions as the networks for maps have them: twice the size with overlapping kernels, and kernels side by
// side.
func TestConvTranspose2d(t *testing.T) {
	for _, c := range []struct {
		size, stride, padding, more int
		bands                       bool
	}{{4, 4, 0, 0, false}, {3, 2, 1, 1, true}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			onEachPath(t, func(t *testing.T, d *Device) {
				const h, w, in, out = 5, 6, 8, 12
				rng := rand.New(rand.NewPCG(9, 10))
				x, xv := input(d, Act, normals(rng, h*w*in), 1, h, w, in)
				weight, wv := parameter(d, rng, "F16", 0.2, in, out, c.size, c.size)
				weight.Columns = true
				bias, bv := parameter(d, rng, "F32", 1, out)
				cw, err := d.NewConvWeight(context.Background(), "weight", []Parameter{weight}, []Parameter{bias}, false)
				if err != nil {
					t.Fatal(err)
				}
				limit := d.Limits.MaxStorageBufferBindingSize
				if c.bands {
					limit = 2000 * int64(x.DType.Size()) // of which three eighths stay in one piece
				}
				limited(d, limit, func() {
					p := d.NewProgram("test")
					y := ConvTranspose2d(p, x, cw, ConvTranspose2dOptions{Label: "up", Stride: c.stride, Padding: c.padding, OutputPadding: c.more})
					if y.inBands() != c.bands {
						t.Fatalf("the result has %d bands", len(y.bands))
					}
					y = y.exactly(p, 0, y.Shape[1])
					p.Keep(y)
					run(t, p, 0)
					ho, wo := (h-1)*c.stride-2*c.padding+c.size+c.more, (w-1)*c.stride-2*c.padding+c.size+c.more
					if y.Shape[1] != ho || y.Shape[2] != wo {
						t.Fatalf("the result is %s", y)
					}
					want := make([]float64, ho*wo*out)
					for i, v := range xv {
						k, px, py := i%in, i/in%w, i/in/w
						for o := range out {
							for tap := range c.size * c.size {
								ty, tx := py*c.stride-c.padding+tap/c.size, px*c.stride-c.padding+tap%c.size
								if ty >= 0 && tx >= 0 && ty < ho && tx < wo {
									want[(ty*wo+tx)*out+o] += float64(v) * float64(wv[(k*out+o)*c.size*c.size+tap])
								}
							}
						}
					}
					wanted := make([]float32, len(want))
					for i, v := range want {
						wanted[i] = float32(v + float64(bv[i%out]))
					}
					compare(t, "up", output(t, y), wanted, convTolerance(d, Act))
				})
			})
		})
	}
}
