package scheduler

import "math"

func init() {
	register(Scheduler{
		Name: "lcm", Label: "LCM", Class: "LCMScheduler", place: 14,
		// The class has timestep_spacing and does not read it.
		read: func(p *params, f *fields) {
			p.prediction = f.choice("prediction_type", anyPrediction...)
			readClip(p, f, false)
			readDistilled(p, f)
			p.timestepScaling = f.float("timestep_scaling", 10)
		},
		build: (*Schedule).lcm,
	})
}

// lcm is diffusers' LCMScheduler (Luo et al. 2023, arXiv 2310.04378).
func (s *Schedule) lcm(p params, n, first int, _ float64) error {
	ts, err := p.distilledSteps("lcm", n, first)
	if err != nil {
		return err
	}
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
