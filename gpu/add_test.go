package gpu

import (
	"math/rand/v2"
	"testing"
)

// A residual is added whole or times λ of the step and a mask, to every entry of a batch.
func TestAdd(t *testing.T) {
	const b, h, w, c = 2, 3, 5, 12
	for name, o := range map[string]struct {
		weighted, masked, once, row bool
		first                       int
	}{
		"whole":           {},
		"times lambda":    {weighted: true},
		"masked":          {masked: true},
		"for every entry": {weighted: true, masked: true, once: true},
		"to one entry":    {weighted: true, once: true, first: 1},
		"one row for all": {weighted: true, row: true},
		"one row of one":  {once: true, row: true, first: 1},
	} {
		t.Run(name, func(t *testing.T) {
			onEachPath(t, func(t *testing.T, d *Device) {
				rng := rand.New(rand.NewPCG(5, 6))
				x, xv := input(d, Act, normals(rng, b*h*w*c), b, h, w, c)
				batch := b
				if o.once {
					batch = 1
				}
				rh, rw := h, w
				if o.row {
					rh, rw = 1, 1
				}
				r, rv := input(d, Act, normals(rng, batch*rh*rw*c), batch, rh, rw, c)
				weight := func(int) float64 { return 1 }
				ao := AddOptions{Label: "sum", First: o.first}
				if o.weighted {
					ao.Lambda, _ = input(d, F32, []float32{9, 9, 9, 9, 0.75, 9}, 2, 3)
					ao.LambdaAt = 1
					weight = func(int) float64 { return 0.75 }
				}
				if o.masked {
					var mask []float32
					ao.Mask, mask = input(d, F32, normals(rng, h*w), 1, h*w)
					lambda := weight
					weight = func(row int) float64 { return lambda(row) * float64(mask[row]) }
				}
				p := d.NewProgram("test")
				y := Add(p, x, r, ao)
				p.Keep(y)
				run(t, p, 1)
				want := make([]float32, len(xv))
				for i := range want {
					entry, row := i/c/(h*w), i/c%(h*w)
					if entry < o.first {
						want[i] = xv[i]
						continue
					}
					at := row % (rh * rw) * c
					if !o.once {
						at += entry * rh * rw * c
					}
					want[i] = float32(float64(xv[i]) + weight(row)*float64(rv[at+i%c]))
				}
				tolerance := 1e-6 // one rounding of f32
				if d.F16 {
					tolerance = 5e-4 // one rounding of f16
				}
				compare(t, "sum", output(t, y), want, tolerance)
			})
		})
	}
}
