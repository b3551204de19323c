package scheduler

import (
	"fmt"
	"math"
)

// alphaAt is alphas_cumprod at a timestep, and final_alpha_cumprod before the first timestep.
func (p params) alphaAt(t int) float64 {
	if t >= 0 {
		return p.alphasCumprod[t]
	}
	if p.setAlphaToOne {
		return 1
	}
	return p.alphasCumprod[0]
}

// inTable checks that the timesteps, of which the first is the largest, are in the table.
func (p params) inTable(ts []int) error {
	if len(ts) > 0 && ts[0] >= len(p.alphasCumprod) {
		return fmt.Errorf("scheduler_config.json: with steps_offset %d the first of these steps is at timestep %d, and num_train_timesteps is %d: choose fewer steps", p.offset, ts[0], p.train)
	}
	return nil
}

// toX0 is x₀ from the sample and the model's output, at an alpha_cumprod.
func (p params) toX0(alpha float64) Linear {
	a, b := math.Sqrt(alpha), math.Sqrt(1-alpha)
	switch p.prediction {
	case "v_prediction":
		return Linear{X: a, E: -b}
	case "sample":
		return Linear{E: 1}
	}
	return Linear{X: 1 / a, E: -b / a}
}

// toEps is the noise from the sample and the model's output.
func (p params) toEps(alpha float64) Linear {
	a, b := math.Sqrt(alpha), math.Sqrt(1-alpha)
	switch p.prediction {
	case "v_prediction":
		return Linear{X: b, E: a}
	case "sample":
		return Linear{X: 1 / b, E: -a / b}
	}
	return Linear{E: 1}
}

// addAlphaStep appends step i of the steps at ts, and sets what image-to-image and inpainting need
// (add_noise of the classes that work with alphas).
func (s *Schedule) addAlphaStep(p params, st Step, ts []int, i int) {
	if i == 0 {
		a := p.alphaAt(ts[0])
		s.AddNoise.Latents, s.AddNoise.Noise = math.Sqrt(a), math.Sqrt(1-a)
	}
	st.Init = 1
	if i+1 < len(ts) {
		a := p.alphaAt(ts[i+1])
		st.Init, st.InitNoise = math.Sqrt(a), math.Sqrt(1-a)
	}
	s.Steps = append(s.Steps, st)
}
