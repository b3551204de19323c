package scheduler

import (
	"math"
	"slices"
)

// sigmaTable gives the timesteps of a run and its sigmas, of which there is at least one more, as set_timesteps of the Euler, DPM-Solver and UniPC classes computes them.
func (p params) sigmaTable(n int) (ts, sigmas []float64) {
	table := make([]float64, len(p.alphasCumprod))
	logs := make([]float64, len(table))
	clipped := 0
	for i, a := range p.alphasCumprod {
		// Float32, as torch and numpy: ((1 - a) / a) ** 0.5 and its logarithm.
		table[i] = float64(float32(math.Sqrt(float64(float32(1-a) / float32(a)))))
		logs[i] = float64(float32(math.Log(table[i])))
		if -math.Log(table[i]) < p.lambdaMin {
			clipped++
		}
	}
	if p.euler {
		ts = p.eulerSteps(n)
	} else {
		ts = p.solverSteps(n, p.train-clipped)
	}
	// The sigmas between whose ends are spread: for Euler those of the timesteps, for the
	// solvers the whole table, the largest first.
	from := slices.Clone(table)
	slices.Reverse(from)
	if p.logLinear {
		spread := make([]float32, n+1)
		linspace(spread, logs[len(logs)-1], logs[0])
		sigmas = nil
		for _, l := range spread {
			sigmas = append(sigmas, float64(float32(math.Exp(float64(l)))))
		}
		from = sigmas
	} else {
		for _, t := range ts {
			sigmas = append(sigmas, interpolate(t, table))
		}
		if p.euler {
			from = sigmas
		}
	}
	last := 0.0
	if p.finalSigmaMin {
		last = table[0]
	}
	if p.sigmas != "" {
		sigmas = p.spread(from, n)
		ts = p.sigmasToT(sigmas, logs)
		if p.finalSigmaMin && p.finalOfSpread {
			last = sigmas[n-1]
		}
	}
	sigmas = append(slices.Clone(sigmas), last)
	for i, v := range sigmas {
		sigmas[i] = float64(float32(v))
	}
	if p.continuous && p.prediction == "v_prediction" {
		ts = nil
		for _, s := range sigmas[:len(sigmas)-1] {
			ts = append(ts, float64(float32(0.25*math.Log(s))))
		}
	}
	return ts, sigmas
}

// spread spreads n sigmas between the ends of the given ones: evenly in σ^(1/7) (Karras
// et al. 2022, arXiv 2206.00364, formula 5), or evenly in log σ.
func (p params) spread(from []float64, n int) []float64 {
	high, low := from[0], from[len(from)-1]
	// "lu" ignores sigma_min and sigma_max.
	if !math.IsNaN(p.sigmaMin) && p.sigmas != "lu" {
		low = p.sigmaMin
	}
	if !math.IsNaN(p.sigmaMax) && p.sigmas != "lu" {
		high = p.sigmaMax
	}
	const rho = 7
	sigmas := make([]float64, n)
	for i := range sigmas {
		ramp := 0.0
		if n > 1 {
			ramp = float64(i) / float64(n-1)
		}
		if p.sigmas == "karras" {
			a, b := math.Pow(high, 1./rho), math.Pow(low, 1./rho)
			sigmas[i] = math.Pow(a+ramp*(b-a), rho)
		} else {
			a, b := math.Log(high), math.Log(low)
			sigmas[i] = math.Exp(a + ramp*(b-a))
		}
	}
	return sigmas
}

// sigmasToT finds the timesteps of sigmas and rounds them as each class does.
func (p params) sigmasToT(sigmas, logs []float64) []float64 {
	ts := make([]float64, len(sigmas))
	for i, s := range sigmas {
		t := sigmaToT(s, logs)
		switch {
		case p.euler:
			ts[i] = float64(float32(t))
		case p.sigmas == "exponential" || p.cosine:
			ts[i] = math.Trunc(t) // a conversion to int64
		default:
			ts[i] = round(t)
		}
	}
	return ts
}

// interpolate is np.interp over the whole numbers.
func interpolate(t float64, table []float64) float64 {
	i := int(math.Floor(t))
	if i < 0 {
		return table[0]
	}
	if i >= len(table)-1 {
		return table[len(table)-1]
	}
	return table[i] + (t-float64(i))*(table[i+1]-table[i])
}

// sigmaToT is diffusers' _sigma_to_t: the timestep of a sigma, interpolated between two entries of
// the table by their logarithms.
func sigmaToT(sigma float64, logs []float64) float64 {
	log := math.Log(max(sigma, 1e-10))
	low := 0
	for i, l := range logs {
		if log-l >= 0 {
			low = i
		}
	}
	low = min(low, len(logs)-2)
	w := (logs[low] - log) / (logs[low] - logs[low+1])
	w = min(max(w, 0), 1)
	return (1-w)*float64(low) + w*float64(low+1)
}

// alphaSigma are diffusers' _sigma_to_alpha_sigma_t.
func alphaSigma(sigma float64) (alpha, s float64) {
	alpha = 1 / math.Sqrt(sigma*sigma+1)
	return alpha, sigma * alpha
}

// lambda is half the logarithm of the signal-to-noise ratio; +Inf where sigma is 0.
func lambda(sigma float64) float64 {
	a, s := alphaSigma(sigma)
	return math.Log(a) - math.Log(s)
}

// sigmaStep fills in a step from sigmas[i] to sigmas[i+1], of n steps of which the first run
// is first.
type sigmaStep func(p params, st *Step, sigmas []float64, i, first, n int)

// sigmas makes the steps of a class that works with sigmas.
func (s *Schedule) sigmas(p params, step sigmaStep, n, first int) {
	ts, sigmas := p.sigmaTable(n)
	if p.euler {
		s.InitNoiseSigma = slices.Max(sigmas)
		if p.spacing == "leading" {
			s.InitNoiseSigma = math.Sqrt(s.InitNoiseSigma*s.InitNoiseSigma + 1)
		}
	}
	noisy := func(sigma float64) (latents, noise float64) {
		if p.euler {
			return 1, sigma
		}
		return alphaSigma(sigma)
	}
	n = len(ts)
	if first < n {
		s.AddNoise.Latents, s.AddNoise.Noise = noisy(sigmas[first])
	}
	for i := first; i < n; i++ {
		st := Step{Timestep: ts[i], InputScale: 1}
		step(p, &st, sigmas, i, first, n)
		st.Init = 1
		if i+1 < n {
			st.Init, st.InitNoise = noisy(sigmas[i+1])
		}
		s.Steps = append(s.Steps, st)
	}
}
