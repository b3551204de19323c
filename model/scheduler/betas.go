package scheduler

import (
	"fmt"
	"math"
)

var betaSchedules = []string{"linear", "scaled_linear", "squaredcos_cap_v2"}

// betaDefaults are what differs between the classes where they make their betas.
type betaDefaults struct {
	start, end float64
	schedules  []string // the first is the default
	zeroSNR    zeroSNR
}

// zeroSNR is what a class makes of rescale_betas_zero_snr.
type zeroSNR int

const (
	zeroSNRNearly  zeroSNR = iota // the last alpha is close to zero, so that the first sigma is finite
	zeroSNRExactly                // the last alpha is zero
	zeroSNRIgnored                // the class does not have the field
)

var usualBetas = betaDefaults{start: 0.0001, end: 0.02, schedules: betaSchedules}

// alphas is alphas_cumprod of n training steps, with torch's roundings to float32, as every
// class's __init__ computes it.
func (f *fields) alphas(d betaDefaults, n int) []float64 {
	start, end := f.float("beta_start", d.start), f.float("beta_end", d.end)
	schedule := f.choice("beta_schedule", d.schedules...)
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
	rescale := d.zeroSNR != zeroSNRIgnored && f.bool("rescale_betas_zero_snr", false)
	if rescale {
		rescaleZeroSNR(betas)
	}
	alphas := make([]float64, n)
	product := 1.0
	for i, b := range betas {
		product *= float64(1 - b) // torch.cumprod multiplies in float64 and rounds each result
		alphas[i] = float64(float32(product))
	}
	if rescale && d.zeroSNR == zeroSNRNearly {
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
