package scheduler

import (
	"math"
	"slices"
)

// sigmaTable gives the timesteps and the sigmas of a run, the last one included, as
// set_timesteps of the Euler, DPM-Solver and UniPC classes computes them.
func (p params) sigmaTable(n int) (ts, sigmas []float64) {
	table := make([]float64, len(p.alphasCumprod))
	logs := make([]float64, len(table))
	for i, a := range p.alphasCumprod {
		// Float32, as torch: (1 - a) / a and its root.
		table[i] = float64(float32(math.Sqrt(float64(float32((1 - a)) / float32(a)))))
		logs[i] = math.Log(table[i])
	}
	euler := p.name == "euler" || p.name == "euler_a"
	ts = make([]float64, n)
	for i := range ts {
		switch {
		case p.spacing == "linspace" && euler:
			if n > 1 {
				ts[n-1-i] = float64(float32(float64(p.train-1) / float64(n-1) * float64(i)))
			}
		case p.spacing == "linspace":
			ts[n-1-i] = float64(rint(float64(p.train-1) / float64(n) * float64(i+1)))
		case p.spacing == "leading" && euler:
			ts[n-1-i] = float64(i*(p.train/n) + p.offset)
		case p.spacing == "leading":
			ts[n-1-i] = float64((i+1)*(p.train/(n+1)) + p.offset)
		default:
			ts[i] = float64(rint(float64(p.train)-float64(i)*float64(p.train)/float64(n)) - 1)
		}
	}
	switch {
	case p.karras:
		low, high := table[0], table[len(table)-1]
		if !math.IsNaN(p.sigmaMin) {
			low = p.sigmaMin
		}
		if !math.IsNaN(p.sigmaMax) {
			high = p.sigmaMax
		}
		const rho = 7
		for i := range n {
			ramp := 0.0
			if n > 1 {
				ramp = float64(i) / float64(n-1)
			}
			a, b := math.Pow(high, 1./rho), math.Pow(low, 1./rho)
			sigma := math.Pow(a+ramp*(b-a), rho)
			sigmas = append(sigmas, sigma)
			ts[i] = sigmaToT(sigma, logs)
			if euler {
				ts[i] = float64(float32(ts[i]))
			} else {
				ts[i] = math.RoundToEven(ts[i])
			}
		}
	case p.logLinear:
		a, b := math.Log(table[len(table)-1]), math.Log(table[0])
		for i := range n {
			sigmas = append(sigmas, math.Exp(a+(b-a)*float64(i)/float64(n)))
		}
	default:
		for _, t := range ts {
			sigmas = append(sigmas, interpolate(t, table))
		}
	}
	last := 0.0
	if p.finalSigmaMin {
		last = table[0]
	}
	sigmas = append(sigmas, last)
	for i, v := range sigmas {
		sigmas[i] = float64(float32(v))
	}
	return ts, sigmas
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

// sigmaToT is diffusers' _sigma_to_t: the timestep of a sigma, between two of the
// table's, by their logarithms.
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

func lambda(sigma float64) float64 {
	a, s := alphaSigma(sigma)
	return math.Log(a) - math.Log(s)
}

// sigmas builds the schedules that work with sigmas.
func (s *Schedule) sigmas(p params, n, first int) error {
	ts, sigmas := p.sigmaTable(n)
	euler := p.name == "euler" || p.name == "euler_a"
	if euler {
		s.InitNoiseSigma = slices.Max(sigmas)
		if p.spacing == "leading" {
			s.InitNoiseSigma = math.Sqrt(s.InitNoiseSigma*s.InitNoiseSigma + 1)
		}
	}
	noisy := func(sigma float64) (latents, noise float64) {
		if euler {
			return 1, sigma
		}
		return alphaSigma(sigma)
	}
	if first < n {
		s.AddNoise.Latents, s.AddNoise.Noise = noisy(sigmas[first])
	}
	for i := first; i < n; i++ {
		st := Step{Timestep: ts[i], InputScale: 1}
		switch p.name {
		case "euler", "euler_a":
			p.eulerStep(&st, sigmas[i], sigmas[i+1])
		case "unipc":
			p.unipcStep(&st, sigmas, i, first, n)
		default:
			p.dpmStep(&st, sigmas, i, first, n)
		}
		st.Init = 1
		if i+1 < n {
			st.Init, st.InitNoise = noisy(sigmas[i+1])
		}
		s.Steps = append(s.Steps, st)
	}
	return nil
}

// eulerStep is EulerDiscreteScheduler's and EulerAncestralDiscreteScheduler's step
// (Karras et al. 2022, algorithm 2; the ancestral one as in k-diffusion).
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
		st.DrawsNoise = true
		st.Next.Noise = up
	}
	// x + (x - x₀)/sigma · (down - sigma)
	dt := (down - sigma) / sigma
	st.Next = st.Next.plus(sample, 1+dt).plus(current, -dt)
}

// convertToX0 is convert_model_output of the DPM-Solver++ and UniPC classes.
func (p params) convertToX0(st *Step, sigma float64) {
	alpha, s := alphaSigma(sigma)
	switch p.prediction {
	case "v_prediction":
		st.output(Linear{X: alpha, E: -s}, 0)
	case "sample":
		st.output(Linear{E: 1}, 0)
	default:
		st.output(Linear{X: 1 / alpha, E: -s / alpha}, 0)
	}
}

// dpmStep is DPMSolverMultistepScheduler's, dpmsolver++ of order one or two (Lu et
// al. 2022, arXiv 2211.01095).
func (p params) dpmStep(st *Step, sigmas []float64, i, first, n int) {
	p.convertToX0(st, sigmas[i])
	st.Push = true
	alpha, sigma := alphaSigma(sigmas[i+1])
	_, sigma0 := alphaSigma(sigmas[i])
	h := lambda(sigmas[i+1]) - lambda(sigmas[i])
	grow := -alpha * math.Expm1(-h) // -α(e⁻ʰ - 1); α where the last sigma is 0
	st.Next = Linear{}.plus(sample, sigma/sigma0)
	final := i == n-1 && (p.eulerAtFinal || p.lowerOrderFinal && n < 15 || !p.finalSigmaMin)
	if p.solverOrder == 1 || i == first || final {
		st.Next = st.Next.plus(current, grow)
		return
	}
	r := (lambda(sigmas[i]) - lambda(sigmas[i-1])) / h
	d1 := Linear{}.plus(current, 1/r).plus(before(1), -1/r)
	st.Next = st.Next.plus(current, grow)
	if p.solverType == "heun" {
		st.Next = st.Next.plus(d1, alpha*(math.Expm1(-h)/h+1))
	} else {
		st.Next = st.Next.plus(d1, grow/2)
	}
}

// unipcStep is UniPCMultistepScheduler's, predicting x₀ (Zhao et al. 2023, arXiv
// 2302.04867): the corrector of the last step's sample, then the predictor.
func (p params) unipcStep(st *Step, sigmas []float64, i, first, n int) {
	p.convertToX0(st, sigmas[i])
	st.Push = true
	order := func(i int) int {
		o := p.solverOrder
		if p.lowerOrderFinal {
			o = min(o, n-i)
		}
		return min(o, i-first+1)
	}
	x := sample
	if i > first && !slices.Contains(p.disableCorrector, i-1) {
		x = p.unipc(saved, before(1), &current, sigmas, i-1, order(i-1), before)
	}
	st.Save, st.Saved = true, x
	st.Next = p.unipc(x, current, nil, sigmas, i, order(i), func(k int) Linear { return before(k - 1) })
}

// unipc is multistep_uni_p_bh_update (without target) and multistep_uni_c_bh_update
// (with the output at the new sigma): from sigmas[i] to sigmas[i+1]. m0 is the output
// at sigmas[i], and older(k) that of k-1 steps before it.
func (p params) unipc(x, m0 Linear, target *Linear, sigmas []float64, i, order int, older func(k int) Linear) Linear {
	alpha, sigma := alphaSigma(sigmas[i+1])
	_, sigma0 := alphaSigma(sigmas[i])
	h := lambda(sigmas[i+1]) - lambda(sigmas[i])
	hh := -h
	phi1 := math.Expm1(hh)
	b := phi1
	if p.solverType == "bh1" {
		b = hh
	}
	next := Linear{}.plus(x, sigma/sigma0).plus(m0, -alpha*phi1)
	if order == 1 && target == nil {
		return next
	}
	var rks []float64
	var d1s []Linear
	for k := 1; k < order; k++ {
		rk := (lambda(sigmas[i-k]) - lambda(sigmas[i])) / h
		rks = append(rks, rk)
		d1s = append(d1s, Linear{}.plus(older(k+1), 1/rk).plus(m0, -1/rk))
	}
	rks = append(rks, 1)
	size := order
	if target == nil {
		size--
	}
	rhos := []float64{0.5}
	if !(target == nil && order == 2 || target != nil && order == 1) {
		// Σ_j rk_jⁱ⁻¹ ρ_j = b_i
		a := make([][]float64, size)
		phi, factorial := phi1/hh-1, 1.0
		for r := range a {
			for j := range size {
				a[r] = append(a[r], math.Pow(rks[j], float64(r)))
			}
			a[r] = append(a[r], phi*factorial/b)
			factorial *= float64(r + 2)
			phi = phi/hh - 1/factorial
		}
		rhos = solve(a)
	}
	for k, d := range d1s {
		next = next.plus(d, -alpha*b*rhos[k])
	}
	if target != nil {
		next = next.plus(*target, -alpha*b*rhos[len(rhos)-1]).plus(m0, alpha*b*rhos[len(rhos)-1])
	}
	return next
}

// solve is Gauss's elimination over rows [a₁ … aₙ | b], with pivoting.
func solve(a [][]float64) []float64 {
	n := len(a)
	for c := range n {
		pivot := c
		for r := c + 1; r < n; r++ {
			if math.Abs(a[r][c]) > math.Abs(a[pivot][c]) {
				pivot = r
			}
		}
		a[c], a[pivot] = a[pivot], a[c]
		for r := range n {
			if r != c {
				f := a[r][c] / a[c][c]
				for k := c; k <= n; k++ {
					a[r][k] -= f * a[c][k]
				}
			}
		}
	}
	x := make([]float64, n)
	for i := range x {
		x[i] = a[i][n] / a[i][i]
	}
	return x
}
