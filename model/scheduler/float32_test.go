package scheduler

import (
	"math"
	"testing"

	"github.com/imprompt/imprompt/model/random"
)

// The tables are made for float32, in which the GPU runs them: no sum of a step loses
// what matters to cancellation. The toy model carries an error on from step to step.
func TestFloat32(t *testing.T) {
	const n = 16
	worst := map[string]float64{}
	for _, c := range trajectories(t) {
		config, err := ParseConfig([]byte(c.Config))
		if err != nil {
			t.Fatal(err)
		}
		s, err := New(c.Name, config, c.Steps, Options{Strength: c.Strength, Eta: c.Eta})
		if err != nil || !c.Finite {
			continue
		}
		g := random.New(c.Seed)
		x := g.Normal(n)
		for i := range x {
			x[i] *= float32(s.InitNoiseSigma)
		}
		wide := widen(x)
		noises := make([][]float32, len(s.Steps))
		for i := range noises {
			noises[i] = g.Normal(n)
		}
		toy := func(i int, x float64) float64 { return 0.7 * math.Sin(1.3*x+s.Steps[i].Timestep/700) }
		var want [][]float64
		scale := 1.0
		run(s, wide, func(i int, in []float64) []float64 {
			e := make([]float64, n)
			for j := range e {
				e[j] = toy(i, in[j])
			}
			return e
		}, func(i int) []float64 { return widen(noises[i]) }, func(_ int, x []float64) {
			want = append(want, append([]float64(nil), x...))
		})
		run(s, x, func(i int, in []float32) []float32 {
			e := make([]float32, n)
			for j := range e {
				e[j] = float32(toy(i, float64(in[j])))
			}
			return e
		}, func(i int) []float32 { return noises[i] }, func(i int, x []float32) {
			for j, w := range want[i] {
				scale = max(scale, math.Abs(w))
				worst[c.Name] = max(worst[c.Name], math.Abs(float64(x[j])-w)/scale)
			}
		})
	}
	for _, name := range Names() {
		t.Logf("%-16s at most %.1e off", name, worst[name])
		// Measured are 4.4e-6 at most; diffusers in float32 is up to 2.7e-6 off itself.
		if !(worst[name] < 1e-5) || worst[name] == 0 {
			t.Errorf("%s in float32 is %.2g off", name, worst[name])
		}
	}
}

func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}
