package scheduler

import "math"

func init() {
	build := func(s *Schedule, p params, n, first int, _ float64) error {
		s.sigmas(p, params.eulerStep, n, first)
		return nil
	}
	euler := Scheduler{
		Name: "euler", Label: "Euler", Class: "EulerDiscreteScheduler", place: 9, build: build,
		read: func(p *params, f *fields) {
			p.euler = true
			p.prediction = f.choice("prediction_type", anyPrediction...)
			p.spacing = f.choice("timestep_spacing", "linspace", "leading", "trailing")
			readSigmas(p, f)
			p.logLinear = f.choice("interpolation_type", "linear", "log_linear") == "log_linear"
			p.continuous = f.choice("timestep_type", "discrete", "continuous") == "continuous"
		},
	}
	register(euler)
	// In diffusers both of these spacings of other programs are timestep_spacing "trailing".
	euler.Arguments = trailingSpacing
	euler.Name, euler.Label, euler.A1111, euler.place = "euler_simple", "Euler, simple", "Euler Simple", 10
	register(euler)
	euler.Name, euler.Label, euler.A1111, euler.place = "euler_sgm_uniform", "Euler, SGM uniform", "Euler SGM Uniform", 11
	register(euler)
	register(Scheduler{
		Name: "euler_a", Label: "Euler a", Class: "EulerAncestralDiscreteScheduler", place: 12, build: build,
		read: func(p *params, f *fields) {
			p.euler, p.ancestral = true, true
			p.prediction = f.choice("prediction_type", "epsilon", "v_prediction")
			p.spacing = f.choice("timestep_spacing", "linspace", "leading", "trailing")
		},
	})
}

// eulerStep is EulerDiscreteScheduler's and EulerAncestralDiscreteScheduler's step
// (Karras et al. 2022, arXiv 2206.00364, algorithm 2 without churn; the ancestral one
// as in k-diffusion), a sigmaStep.
func (p params) eulerStep(st *Step, sigmas []float64, i, _, _ int) {
	sigma, next := sigmas[i], sigmas[i+1]
	st.InputScale = 1 / math.Sqrt(sigma*sigma+1)
	switch p.prediction {
	case "v_prediction":
		st.output(Linear{X: 1 / (sigma*sigma + 1), E: -sigma / math.Sqrt(sigma*sigma+1)}, 0)
	case "sample":
		st.output(Linear{E: 1}, 0)
	default:
		st.output(Linear{X: 1, E: -sigma}, 0)
	}
	down := next
	if p.ancestral {
		up := math.Sqrt(next * next * (sigma*sigma - next*next) / (sigma * sigma))
		down = math.Sqrt(next*next - up*up)
		st.DrawsNoise = true // also in the last step, where it is not used
		st.Next.Noise = up
	}
	// x + (x - x₀)/sigma · (down - sigma)
	dt := (down - sigma) / sigma
	st.Next = st.Next.plus(sample, 1+dt).plus(current, -dt)
}
