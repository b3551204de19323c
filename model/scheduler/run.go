package scheduler

// Run executes the schedule on x in float64, in place of the GPU: unet gives the
// model's output for step i's scaled input, noise what was drawn for step i (asked
// for only where the step draws). It is what sampler_step.wgsl computes.
func (s *Schedule) Run(x []float64, unet func(i int, input []float64) []float64, noise func(i int) []float64, after func(i int, x []float64)) {
	n := len(x)
	saved := make([]float64, n)
	var history [4][]float64
	for k := range history {
		history[k] = make([]float64, n)
	}
	for i, st := range s.Steps {
		input := make([]float64, n)
		for j := range x {
			input[j] = x[j] * st.InputScale
		}
		e := unet(i, input)
		drawn := make([]float64, n)
		if st.DrawsNoise {
			drawn = noise(i)
		}
		m := make([]float64, n)
		next := make([]float64, n)
		keep := make([]float64, n)
		for j := range x {
			m[j] = st.MX*x[j] + st.ME*e[j]
			if st.Clip > 0 {
				m[j] = min(max(m[j], -st.Clip), st.Clip)
			}
			sum := func(l Linear) float64 {
				v := l.X*x[j] + l.S*saved[j] + l.E*e[j] + l.M[0]*m[j] + l.Noise*drawn[j]
				for k, h := range history {
					v += l.M[k+1] * h[j]
				}
				return v
			}
			next[j], keep[j] = sum(st.Next), sum(st.Saved)
		}
		copy(x, next)
		if st.Save {
			copy(saved, keep)
		}
		if st.Push {
			history = [4][]float64{m, history[0], history[1], history[2]}
		}
		if after != nil {
			after(i, x)
		}
	}
}
