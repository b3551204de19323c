package scheduler

import "math"

// predictClean fills in Clean for every step. A step's sample is a·x₀ + b·noise, where a and
// b are those of AddNoise in the first step and those of the step before in the others, and
// the model's output tells x₀ from the noise.
func (s *Schedule) predictClean(prediction string) {
	a, b := s.AddNoise.Latents, s.AddNoise.Noise
	for i := range s.Steps {
		st := &s.Steps[i]
		scale := a*a + b*b // 1 for the classes that work with alphas, 1 + σ² for Euler's
		switch prediction {
		case "v_prediction":
			st.Clean.X, st.Clean.E = a/scale, -b/math.Sqrt(scale)
		case "sample":
			st.Clean.X, st.Clean.E = 0, 1
		default:
			st.Clean.X, st.Clean.E = 1/a, -b/a
		}
		a, b = st.Init, st.InitNoise
	}
}
