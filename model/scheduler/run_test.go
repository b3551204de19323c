package scheduler

// run executes a schedule on x in the place of the GPU, in float64 or in the GPU's float32. unet
// gives the model's output for step i's scaled input, and noise what was drawn for step i (it
// is called only where the step draws). This is what sampler_step.wgsl computes.
func run[T float32 | float64](s *Schedule, x []T, unet func(i int, input []T) []T, noise func(i int) []T, after func(i int, x []T)) {
	n := len(x)
	saved := make([]T, n)
	var history [4][]T
	for k := range history {
		history[k] = make([]T, n)
	}
	for i, st := range s.Steps {
		input := make([]T, n)
		for j := range x {
			input[j] = x[j] * T(st.InputScale)
		}
		e := unet(i, input)
		drawn := make([]T, n)
		if st.DrawsNoise {
			drawn = noise(i)
		}
		m, next, keep := make([]T, n), make([]T, n), make([]T, n)
		for j := range x {
			m[j] = T(st.MX)*x[j] + T(st.ME)*e[j]
			if st.Clip > 0 {
				m[j] = min(max(m[j], -T(st.Clip)), T(st.Clip))
			}
			sum := func(l Linear) T {
				v := T(l.X)*x[j] + T(l.S)*saved[j] + T(l.E)*e[j] + T(l.M[0])*m[j] + T(l.Noise)*drawn[j]
				for k, h := range history {
					v += T(l.M[k+1]) * h[j]
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
			history = [4][]T{m, history[0], history[1], history[2]}
		}
		if after != nil {
			after(i, x)
		}
	}
}
