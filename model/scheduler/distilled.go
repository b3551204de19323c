package scheduler

import "fmt"

// readDistilled reads what LCMScheduler and TCDScheduler have in common. Both classes are for
// models that were distilled to a few steps.
func readDistilled(p *params, f *fields) {
	p.setAlphaToOne = f.bool("set_alpha_to_one", true)
	p.betas = betaDefaults{start: 0.00085, end: 0.012, schedules: []string{"scaled_linear", "linear", "squaredcos_cap_v2"}, zeroSNR: zeroSNRExactly}
	p.originalSteps = f.int("original_inference_steps", 50)
	if p.originalSteps < 1 || p.originalSteps > p.train {
		f.refuse("original_inference_steps", ": it has to be from 1 to num_train_timesteps")
	}
}

// distilledSteps takes n timesteps from those for which the model was distilled, the largest
// first, and leaves out the first skip of them.
func (p params) distilledSteps(name string, n, skip int) ([]int, error) {
	if n > p.originalSteps {
		return nil, fmt.Errorf("%d steps: the %s scheduler takes at most original_inference_steps, %d", n, name, p.originalSteps)
	}
	ts := make([]int, n)
	for i := range ts {
		// As np.linspace computes it: i times the rounded quotient.
		index := int(float64(i) * (float64(p.originalSteps) / float64(n)))
		ts[i] = (p.originalSteps-index)*(p.train/p.originalSteps) - 1
	}
	return ts[min(skip, n):], nil
}
