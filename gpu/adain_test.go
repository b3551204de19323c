package gpu

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The first half of the batch gets the statistics of the second, in part where it is mixed.
func TestAdaIN(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		rng := rand.New(rand.NewPCG(15, 16))
		const n, h, w, c, fidelity = 4, 9, 13, 12, 0.3
		const pixels = h * w
		values := offset(rng, n*pixels*c, 3)
		for i := n / 2 * pixels * c; i < len(values); i++ {
			values[i] = Float32(Float16(values[i]*2 - 9))
		}
		x, xv := input(d, Act, values, n, h, w, c)
		p := d.NewProgram("test")
		y := AdaIN(p, x, 1, fidelity, "y")
		run(t, p, 0)
		statistics := func(entry, channel int) (mean, deviation float64) {
			at := func(i int) float64 { return float64(xv[(entry*pixels+i)*c+channel]) }
			for i := range pixels {
				mean += at(i) / pixels
			}
			for i := range pixels {
				deviation += (at(i) - mean) * (at(i) - mean) / pixels
			}
			return mean, math.Sqrt(max(deviation, 1e-6))
		}
		want := make([]float32, len(xv))
		for i, v := range xv {
			entry, channel := i/c/pixels, i%c
			want[i] = v
			if entry >= n/2 {
				continue
			}
			mean, deviation := statistics(entry, channel)
			to, toDeviation := statistics(entry+n/2, channel)
			adapted := (float64(v)-mean)/deviation*toDeviation + to
			if entry < 1 {
				adapted = fidelity*float64(v) + (1-fidelity)*adapted
			}
			want[i] = float32(adapted)
		}
		compare(t, "adain", output(t, y), want, normTolerance(d))
	})
}
