package scheduler

import (
	"fmt"
	"math"
)

func init() {
	register(Scheduler{
		Name: "lcm", Label: "LCM", Class: "LCMScheduler", place: 8,
		// The class has timestep_spacing and does not read it.
		read: func(p *params, f *fields) {
			p.prediction = f.choice("prediction_type", anyPrediction...)
			p.setAlphaToOne = f.bool("set_alpha_to_one", true)
			p.betas = betaDefaults{start: 0.00085, end: 0.012, schedules: []string{"scaled_linear", "linear", "squaredcos_cap_v2"}, zeroSNR: zeroSNRExactly}
			readClip(p, f, false)
			p.originalSteps = f.int("original_inference_steps", 50)
			p.timestepScaling = f.float("timestep_scaling", 10)
			if p.originalSteps < 1 || p.originalSteps > p.train {
				f.refuse("original_inference_steps", ": it has to be from 1 to num_train_timesteps")
			}
		},
		build: (*Schedule).lcm,
	})
}

// lcm is diffusers' LCMScheduler (Luo et al. 2023, arXiv 2310.04378).
func (s *Schedule) lcm(p params, n, first int, _ float64) error {
	if n > p.originalSteps {
		return fmt.Errorf("%d steps: the lcm scheduler takes at most original_inference_steps, %d", n, p.originalSteps)
	}
	ts := make([]int, n)
	for i := range ts {
		// As np.linspace computes it: i times the rounded quotient.
		index := int(float64(i) * (float64(p.originalSteps) / float64(n)))
		ts[i] = (p.originalSteps-index)*(p.train/p.originalSteps) - 1
	}
	ts = ts[min(first, n):]
	for i, t := range ts {
		scaled := float64(t) * p.timestepScaling
		const data = 0.5 // sigma_data
		skip := data * data / (scaled*scaled + data*data)
		out := scaled / math.Sqrt(scaled*scaled+data*data)
		st := Step{Timestep: float64(t), InputScale: 1}
		st.output(p.toX0(p.alphaAt(t)), p.clip)
		st.Next = Linear{}.plus(current, out).plus(sample, skip)
		if i < len(ts)-1 {
			prev := p.alphaAt(ts[i+1])
			st.DrawsNoise = true
			st.Next = Linear{}.plus(st.Next, math.Sqrt(prev)).plus(noise, math.Sqrt(1-prev))
		}
		s.addAlphaStep(p, st, ts, i)
	}
	return nil
}
