package gpu

import (
	"math/rand/v2"
	"testing"
)

func TestRepeat(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		rng := rand.New(rand.NewPCG(31, 32))
		x, values := input(d, Act, normals(rng, 3*5*6), 1, 3, 5, 6)
		p := d.NewProgram("test")
		y := Repeat(p, x, 2)
		if Repeat(p, y, 2) != y {
			t.Error("a tensor of two entries is copied")
		}
		p.Keep(y)
		run(t, p, 0)
		compare(t, "repeated", output(t, y), append(values, values...), 0)
	})
}

// Entries of batches are joined and taken out.
func TestEntries(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		rng := rand.New(rand.NewPCG(17, 18))
		x, xv := input(d, Act, normals(rng, 2*3*8), 2, 3, 8)
		r, rv := input(d, Act, normals(rng, 3*8), 1, 3, 8)
		p := d.NewProgram("test")
		all := ConcatEntries(p, x, r)
		last := Entries(p, all, 1, 2)
		p.Keep(all)
		p.Keep(last)
		run(t, p, 0)
		want := append(append([]float32(nil), xv...), rv...)
		compare(t, "joined", output(t, all), want, 0)
		compare(t, "taken out", output(t, last), want[3*8:], 0)
	})
}
