package maps

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/imprompt/imprompt/model/imageproc"
)

// TestCannysProperties checks what has to hold of the edges of any picture.
func TestCannysProperties(t *testing.T) {
	numbers := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		m := scene(1+numbers.IntN(70), 1+numbers.IntN(70), 1+2*numbers.IntN(2))
		low, high, l2 := numbers.Float64()*400, numbers.Float64()*400, numbers.IntN(2) == 0
		edges := Canny(m, low, high, l2)
		if !slices.Equal(edges.Pix, Canny(m, high, low, l2).Pix) {
			t.Errorf("%g and %g give other edges in the other order", low, high)
		}
		low, high = min(low, high), max(low, high)
		// Fewer edges are found with higher thresholds, and none of them is new.
		for _, other := range []*imageproc.Image{Canny(m, low+30, high+30, l2), Canny(m, low, high+100, l2)} {
			for i, v := range other.Pix {
				if v > edges.Pix[i] {
					t.Fatalf("%d × %d: a higher threshold than %g and %g adds an edge", m.Width, m.Height, low, high)
				}
			}
		}
		// Every edge is connected to one that both thresholds find.
		strong := Canny(m, high, high, l2)
		reached := slices.Clone(strong.Pix)
		for changed := true; changed; {
			changed = false
			for i, v := range edges.Pix {
				if v == 0 || reached[i] != 0 {
					continue
				}
				x, y := i%m.Width, i/m.Width
				for ny := max(y-1, 0); ny <= min(y+1, m.Height-1); ny++ {
					for nx := max(x-1, 0); nx <= min(x+1, m.Width-1); nx++ {
						if reached[ny*m.Width+nx] != 0 {
							reached[i], changed = 255, true
						}
					}
				}
			}
		}
		if !slices.Equal(reached, edges.Pix) {
			t.Errorf("%d × %d: an edge is connected to no strong one", m.Width, m.Height)
		}
	}
}
