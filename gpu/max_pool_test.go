package gpu

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// The largest of each square, exactly: of whole pictures, with rows and columns that are left over, and of a picture in bands
// whose edges fall within squares.
func TestMaxPool(t *testing.T) {
	for _, c := range []struct {
		n, h, w, c, size int
		bands            bool
	}{{2, 7, 9, 5, 3, false}, {1, 38, 20, 16, 2, true}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			onEachPath(t, func(t *testing.T, d *Device) {
				rng := rand.New(rand.NewPCG(5, 6))
				x, xv := input(d, Act, normals(rng, c.n*c.h*c.w*c.c), c.n, c.h, c.w, c.c)
				ho, wo := c.h/c.size, c.w/c.size
				want := make([]float32, c.n*ho*wo*c.c)
				for i := range want {
					k, ox, oy, n := i%c.c, i/c.c%wo, i/c.c/wo%ho, i/c.c/wo/ho
					most := float32(-1e9)
					for y := oy * c.size; y < (oy+1)*c.size; y++ {
						for x := ox * c.size; x < (ox+1)*c.size; x++ {
							most = max(most, xv[((n*c.h+y)*c.w+x)*c.c+k])
						}
					}
					want[i] = most
				}
				limit := d.Limits.MaxStorageBufferBindingSize
				if c.bands {
					limit = 7 * int64(c.w) * 4096 // of seven rows
				}
				limited(d, limit, func() {
					p := d.NewProgram("test")
					if c.bands {
						y := newTensor(d, "bands", Act, x.Shape)
						for from := 0; from < c.h; from += 7 {
							rows := min(7, c.h-from)
							b := p.NewTensor("band", Act, 1, rows, c.w, c.c)
							CopyRows(p, x, b, from*c.w, 0, rows*c.w)
							y.bands = append(y.bands, b)
						}
						x = y
					}
					y := MaxPool(p, x, c.size, "pool")
					p.Keep(y)
					run(t, p, 0)
					compare(t, "pool", output(t, y), want, 0)
				})
			})
		})
	}
}
