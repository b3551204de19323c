package scheduler

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/imprompt/imprompt/model/random"
)

// Every scheduler walks as diffusers' does around a toy model: tests/reference/scheduler.py.
func TestAgainstDiffusers(t *testing.T) {
	data, err := os.ReadFile("../../tests/fixtures/scheduler/trajectories.json")
	if err != nil {
		t.Fatal(err)
	}
	var fixture struct {
		Configs map[string]json.RawMessage
		Cases   []struct {
			Config, Name        string
			Steps               int
			Strength            float64
			Seed                uint64
			Timesteps           []float64
			First, Middle, Last []float64
		}
	}
	if err := json.Unmarshal(data, &fixture); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, c := range fixture.Cases {
		config, err := ParseConfig(fixture.Configs[c.Config])
		if err != nil {
			t.Fatal(err)
		}
		s, err := New(c.Name, config, c.Steps, Options{Strength: c.Strength})
		if err != nil {
			t.Errorf("%s %s %d: %v", c.Config, c.Name, c.Steps, err)
			continue
		}
		g := random.New(c.Seed)
		const n = 16
		draw := func() []float64 {
			v := make([]float64, n)
			for i, f := range g.Normal(n) {
				v[i] = float64(f)
			}
			return v
		}
		x := draw()
		if c.Strength < 1 {
			noise := draw()
			for i := range x {
				x[i] = s.AddNoise.Latents*x[i] + s.AddNoise.Noise*noise[i]
			}
		} else {
			for i := range x {
				x[i] *= s.InitNoiseSigma
			}
		}
		for i, want := range c.Timesteps {
			if i >= len(s.Steps) || math.Abs(s.Steps[i].Timestep-want) > 1e-3 {
				t.Errorf("%s %s %d: timestep %d of %d is not %g", c.Config, c.Name, c.Steps, i, len(s.Steps), want)
				break
			}
		}
		toy := func(i int, input []float64) []float64 {
			e := make([]float64, n)
			for j := range e {
				e[j] = 0.7 * math.Sin(1.3*input[j]+s.Steps[i].Timestep/700)
			}
			return e
		}
		check := func(what string, x, want []float64) {
			var diff, norm float64
			for j := range want {
				diff += (x[j] - want[j]) * (x[j] - want[j])
				norm += want[j] * want[j]
			}
			// diffusers computes in float32: some 1e-7 a step, which the toy model and
			// the division by small alphas amplify; with zero SNR the first samples
			// are in the thousands, where float32 resolves 2e-4.
			if !(math.Sqrt(diff/norm) < max(3e-5, 2.5e-7*s.InitNoiseSigma)) {
				t.Errorf("%s %s %d steps, strength %g: %s is off by %.2g: %.5v, want %.5v", c.Config, c.Name, c.Steps, c.Strength, what, math.Sqrt(diff/norm), x[:len(want)], want)
			}
		}
		s.Run(x, toy, func(int) []float64 { return draw() }, func(i int, x []float64) {
			if i == 0 {
				check("the first sample", x, c.First)
			}
			if i == len(s.Steps)/2 {
				check("the middle sample", x, c.Middle)
			}
			if i == len(s.Steps)-1 {
				check("the last sample", x, c.Last)
			}
		})
		ran++
	}
	if ran < 300 {
		t.Errorf("only %d cases ran", ran)
	}
}
