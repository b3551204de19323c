package gpu

import (
	"math/rand/v2"
	"testing"
)

// The first entries are mixed and the others are copied.
func TestMix(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		rng := rand.New(rand.NewPCG(7, 9))
		const rows, c, w = 5, 12, 0.25
		x, xv := input(d, Act, normals(rng, 2*rows*c), 2, rows, c)
		r, rv := input(d, Act, normals(rng, rows*c), 1, rows, c)
		p := d.NewProgram("test")
		y := Mix(p, x, r, w, "mix")
		p.Keep(y)
		run(t, p, 0)
		want := make([]float32, len(xv))
		for i, v := range xv {
			want[i] = v
			if i < len(rv) {
				want[i] = float32((1-w)*float64(v) + w*float64(rv[i]))
			}
		}
		tolerance := 1e-6 // one rounding of f32
		if d.F16 {
			tolerance = 5e-4 // one rounding of f16
		}
		compare(t, "mix", output(t, y), want, tolerance)
	})
}

// The row of the step becomes every entry of the batch.
func TestTableRow(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		rng := rand.New(rand.NewPCG(7, 10))
		table, values := input(d, F32, normals(rng, 3*24), 3, 24)
		p := d.NewProgram("test")
		y := TableRow(p, table, "row", 2, 2, 3, 4)
		p.Keep(y)
		run(t, p, 1)
		want := append(append([]float32(nil), values[24:48]...), values[24:48]...)
		compare(t, "row", output(t, y), want, 0)
	})
}
