package gpu

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// Averages over whole windows, over smaller ones at the border, and over the whole picture.
func TestAveragePool(t *testing.T) {
	for _, c := range []struct{ n, h, w, c, height, width int }{
		{2, 4, 6, 12, 2, 2},
		{1, 5, 7, 20, 2, 2},
		{2, 9, 13, 40, 9, 13},
		{1, 1, 1, 4, 2, 2},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			onEachPath(t, func(t *testing.T, d *Device) {
				rng := rand.New(rand.NewPCG(3, 4))
				x, xv := input(d, Act, normals(rng, c.n*c.h*c.w*c.c), c.n, c.h, c.w, c.c)
				p := d.NewProgram("test")
				y := AveragePool(p, x, c.height, c.width, "pool")
				p.Keep(y)
				run(t, p, 0)
				ho, wo := (c.h+c.height-1)/c.height, (c.w+c.width-1)/c.width
				want := make([]float32, c.n*ho*wo*c.c)
				for i := range want {
					k, ox, oy, n := i%c.c, i/c.c%wo, i/c.c/wo%ho, i/c.c/wo/ho
					var sum, count float64
					for y := oy * c.height; y < min(c.h, (oy+1)*c.height); y++ {
						for x := ox * c.width; x < min(c.w, (ox+1)*c.width); x++ {
							sum += float64(xv[((n*c.h+y)*c.w+x)*c.c+k])
							count++
						}
					}
					want[i] = float32(sum / count)
				}
				tolerance := 1e-6
				if d.F16 {
					tolerance = 5e-4 // one rounding of f16
				}
				compare(t, "pool", output(t, y), want, tolerance)
			})
		})
	}
}
