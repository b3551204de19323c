package scheduler

import (
	"fmt"
	"math"
)

// lcm is diffusers' LCMScheduler (Luo et al. 2023, arXiv 2310.04378).
func (s *Schedule) lcm(p params, n, first int) error {
	if n > p.originalSteps {
		return fmt.Errorf("%d steps: the lcm scheduler takes at most original_inference_steps, %d", n, p.originalSteps)
	}
	ts := make([]int, n)
	for i := range ts {
		// As np.linspace steps: i times the rounded quotient.
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
