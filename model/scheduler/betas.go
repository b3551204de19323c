package scheduler

import (
	"fmt"
	"math"
)

var betaSchedules = []string{"linear", "scaled_linear", "squaredcos_cap_v2"}

// alphas is alphas_cumprod with the float32 roundings of torch, as every class's
// __init__ computes it.
func (f *fields) alphas(name string, n int) []float64 {
	start, end, schedules := 0.0001, 0.02, betaSchedules
	if name == "lcm" {
		start, end, schedules = 0.00085, 0.012, []string{"scaled_linear", "linear", "squaredcos_cap_v2"}
	}
	start, end = f.float("beta_start", start), f.float("beta_end", end)
	schedule := f.choice("beta_schedule", schedules...)
	if n < 2 {
		f.refuse("num_train_timesteps", ": it has to be 2 or more")
		return nil
	}
	betas := make([]float32, n)
	var trained []float64
	switch {
	case f.decode("trained_betas", &trained, "a list of numbers"):
		if len(trained) != n {
			f.wrong = append(f.wrong, fmt.Sprintf("trained_betas has %d numbers and num_train_timesteps is %d", len(trained), n))
			return nil
		}
		for i, b := range trained {
			betas[i] = float32(b)
		}
	case schedule == "linear":
		linspace(betas, start, end)
	case schedule == "scaled_linear":
		linspace(betas, math.Sqrt(start), math.Sqrt(end))
		for i, b := range betas {
			betas[i] = b * b
		}
	default:
		// betas_for_alpha_bar: Nichol & Dhariwal 2021 (arXiv 2102.09672), formula 17.
		bar := func(t float64) float64 { return math.Pow(math.Cos((t+0.008)/1.008*math.Pi/2), 2) }
		for i := range betas {
			betas[i] = float32(min(1-bar(float64(i+1)/float64(n))/bar(float64(i)/float64(n)), 0.999))
		}
	}
	zeroSNR := name != "pndm" && f.bool("rescale_betas_zero_snr", false)
	if zeroSNR {
		rescaleZeroSNR(betas)
	}
	alphas := make([]float64, n)
	product := 1.0
	for i, b := range betas {
		product *= float64(1 - b) // torch.cumprod sums up in float64, and rounds each
		alphas[i] = float64(float32(product))
	}
	if zeroSNR && name != "ddim" && name != "lcm" {
		// Close to zero without being it, so that the first sigma is finite.
		alphas[n-1] = math.Exp2(-24)
	}
	return alphas
}

// linspace is torch.linspace in float32: counted from both ends.
func linspace(out []float32, start, end float64) {
	n := len(out)
	step := (float32(end) - float32(start)) / float32(n-1)
	for i := range out {
		if i < n/2 {
			out[i] = float32(start) + step*float32(i)
		} else {
			out[i] = float32(end) - step*float32(n-1-i)
		}
	}
}

// rescaleZeroSNR is rescale_zero_terminal_snr (Lin et al. 2023, arXiv 2305.08891,
// algorithm 1): the last beta becomes 1.
func rescaleZeroSNR(betas []float32) {
	n := len(betas)
	bar := make([]float32, n)
	product := 1.0
	for i, b := range betas {
		product *= float64(1 - b)
		bar[i] = float32(math.Sqrt(float64(float32(product))))
	}
	first, last := bar[0], bar[n-1]
	for i := range bar {
		bar[i] = (bar[i] - last) * (first / (first - last))
		bar[i] *= bar[i]
	}
	for i := n - 1; i > 0; i-- {
		betas[i] = 1 - bar[i]/bar[i-1]
	}
	betas[0] = 1 - bar[0]
}
