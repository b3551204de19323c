package gpu

import (
	"math/rand/v2"
	"testing"
)

// Slices and concatenations are copies, bit for bit.
func TestCopyTokens(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		rng := rand.New(rand.NewPCG(3, 4))
		const b, c = 2, 12
		x, xv := input(d, Act, normals(rng, b*5*c), b, 5, c)
		y, yv := input(d, Act, normals(rng, b*3*c), b, 3, c)
		p := d.NewProgram("test")
		cat := ConcatTokens(p, x, y)
		out := d.NewTensor("out", Act, b, 6, c)
		copyTokens(p, SliceTokens(p, cat, 1, 6), out, 0, 0, 6)
		run(t, p, 0)
		want := make([]float32, 0, b*6*c)
		for i := range b {
			want = append(want, xv[(i*5+1)*c:(i*5+5)*c]...)
			want = append(want, yv[i*3*c:(i*3+2)*c]...)
		}
		compare(t, "tokens", output(t, out), want, 0)
	})
}

// The first channels of every pixel are copies, bit for bit, and the others are left out.
func TestFirstChannels(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		rng := rand.New(rand.NewPCG(3, 5))
		const pixels, c, n = 2 * 3 * 5, 9, 4 // an inpainting model's input: latents, and 5 more
		x, xv := input(d, Act, normals(rng, pixels*c), 2, 3, 5, c)
		p := d.NewProgram("test")
		y := FirstChannels(p, x, n)
		p.Keep(y)
		run(t, p, 0)
		var want []float32
		for i := range pixels {
			want = append(want, xv[i*c:i*c+n]...)
		}
		compare(t, "channels", output(t, y), want, 0)
	})
}
