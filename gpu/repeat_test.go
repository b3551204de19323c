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
