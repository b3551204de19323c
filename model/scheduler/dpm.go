package scheduler

import "math"

// dpmStep is DPMSolverMultistepScheduler's step from sigmas[i] to sigmas[i+1], of n
// steps of which the first run is first: DPM-Solver++ of orders 1 to 3 (Lu et al.
// 2022, arXiv 2211.01095), DPM-Solver (arXiv 2206.00927) and their SDE variants.
func (p params) dpmStep(st *Step, sigmas []float64, i, first, n int) {
	p.convert(st, sigmas[i], p.algorithm == "dpmsolver++" || p.algorithm == "sde-dpmsolver++")
	st.Push = true
	h := lambda(sigmas[i+1]) - lambda(sigmas[i])
	c := p.dpmCoefficients(sigmas[i], sigmas[i+1], h)
	st.DrawsNoise = p.algorithm == "sde-dpmsolver++" || p.algorithm == "sde-dpmsolver"
	st.Next = Linear{X: c.sample, Noise: c.noise}.plus(current, c.d0)

	few := p.lowerOrderFinal && n < 15
	final := i == n-1 && (p.eulerAtFinal || few || !p.finalSigmaMin)
	if p.solverOrder == 1 || i == first || final {
		return
	}
	r0 := (lambda(sigmas[i]) - lambda(sigmas[i-1])) / h
	d1 := Linear{}.plus(current, 1/r0).plus(before(1), -1/r0)
	if p.solverOrder == 2 || i-first < 2 || few && i == n-2 {
		if p.solverType == "heun" {
			st.Next = st.Next.plus(d1, c.heun)
		} else {
			st.Next = st.Next.plus(d1, c.d0/2)
		}
		return
	}
	r1 := (lambda(sigmas[i-1]) - lambda(sigmas[i-2])) / h
	older := Linear{}.plus(before(1), 1/r1).plus(before(2), -1/r1)
	bend := d1.plus(older, -1)
	st.Next = st.Next.plus(d1, c.heun).plus(bend, c.heun*r0/(r0+r1)).plus(bend, c.d2/(r0+r1))
}

// dpmCoefficients are the factors of the sample, of the converted output and its first
// and second differences, and of the noise.
type dpmCoefficients struct{ sample, d0, heun, d2, noise float64 }

func (p params) dpmCoefficients(from, to, h float64) dpmCoefficients {
	alpha, sigma := alphaSigma(to)
	alpha0, sigma0 := alphaSigma(from)
	switch p.algorithm {
	case "dpmsolver":
		e := math.Expm1(h)
		return dpmCoefficients{sample: alpha / alpha0, d0: -sigma * e, heun: -sigma * (e/h - 1), d2: -sigma * ((e-h)/(h*h) - 0.5)}
	case "sde-dpmsolver":
		e := math.Expm1(h)
		return dpmCoefficients{sample: alpha / alpha0, d0: -2 * sigma * e, heun: -2 * sigma * (e/h - 1), noise: sigma * math.Sqrt(math.Expm1(2*h))}
	case "sde-dpmsolver++":
		e := -math.Expm1(-2 * h) // 1 - e⁻²ʰ
		return dpmCoefficients{
			sample: sigma / sigma0 * math.Exp(-h), d0: alpha * e, heun: alpha * (1 - e/(2*h)),
			d2: alpha * ((e-2*h)/(4*h*h) - 0.5), noise: sigma * math.Sqrt(e),
		}
	}
	e := math.Expm1(-h)
	return dpmCoefficients{sample: sigma / sigma0, d0: -alpha * e, heun: alpha * (e/h + 1), d2: -alpha * ((e+h)/(h*h) - 0.5)}
}

// convert is convert_model_output of the DPM-Solver and UniPC classes: to x₀, or to
// the noise.
func (p params) convert(st *Step, sigma float64, toX0 bool) {
	alpha, s := alphaSigma(sigma)
	if toX0 {
		switch p.prediction {
		case "v_prediction":
			st.output(Linear{X: alpha, E: -s}, 0)
		case "sample":
			st.output(Linear{E: 1}, 0)
		default:
			st.output(Linear{X: 1 / alpha, E: -s / alpha}, 0)
		}
		return
	}
	switch p.prediction {
	case "v_prediction":
		st.output(Linear{X: s, E: alpha}, 0)
	case "sample":
		st.output(Linear{X: 1 / s, E: -alpha / s}, 0)
	default:
		st.output(Linear{E: 1}, 0)
	}
}
