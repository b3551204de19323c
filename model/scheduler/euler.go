package scheduler

import "math"

// eulerStep is EulerDiscreteScheduler's and EulerAncestralDiscreteScheduler's step
// (Karras et al. 2022, arXiv 2206.00364, algorithm 2 without churn; the ancestral one
// as in k-diffusion), from one sigma to the next.
func (p params) eulerStep(st *Step, sigma, next float64) {
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
	if p.name == "euler_a" {
		up := math.Sqrt(next * next * (sigma*sigma - next*next) / (sigma * sigma))
		down = math.Sqrt(next*next - up*up)
		st.DrawsNoise = true // in the last step, too, where it is not used
		st.Next.Noise = up
	}
	// x + (x - x₀)/sigma · (down - sigma)
	dt := (down - sigma) / sigma
	st.Next = st.Next.plus(sample, 1+dt).plus(current, -dt)
}
