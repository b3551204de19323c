package scheduler

import (
	"encoding/json"
	"math"
	"strings"
)

func init() {
	dpm := Scheduler{
		Name: "dpmpp_2m", Label: "DPM++ 2M", Class: "DPMSolverMultistepScheduler", place: 4,
		read: readDPM,
		build: func(s *Schedule, p params, n, first int, _ float64) error {
			s.sigmas(p, params.dpmStep, n, first)
			return nil
		},
	}
	register(dpm)
	yes, sde := json.RawMessage("true"), json.RawMessage(`"sde-dpmsolver++"`)
	for _, v := range []struct {
		name, label string
		place       int
		arguments   map[string]json.RawMessage
	}{
		{"dpmpp_2m_karras", "DPM++ 2M Karras", 5, map[string]json.RawMessage{"use_karras_sigmas": yes}},
		{"dpmpp_2m_sde", "DPM++ 2M SDE", 6, map[string]json.RawMessage{"algorithm_type": sde}},
		{"dpmpp_2m_sde_karras", "DPM++ 2M SDE Karras", 7, map[string]json.RawMessage{"algorithm_type": sde, "use_karras_sigmas": yes}},
		{"dpmpp_2m_sde_exponential", "DPM++ 2M SDE Exponential", 8, map[string]json.RawMessage{"algorithm_type": sde, "use_exponential_sigmas": yes}},
	} {
		dpm.Name, dpm.Label, dpm.place, dpm.Arguments = v.name, v.label, v.place, v.arguments
		register(dpm)
	}
}

// readDPM reads what DPMSolverMultistepScheduler has. Solver types of other families mean
// midpoint, as in its __init__.
func readDPM(p *params, f *fields) {
	p.prediction = f.choice("prediction_type", anyPrediction...)
	p.spacing = f.choice("timestep_spacing", "linspace", "leading", "trailing")
	readSigmas(p, f)
	readSolver(p, f)
	p.solverType = f.choice("solver_type", "midpoint", "heun", "logrho", "bh1", "bh2")
	if p.solverType != "heun" {
		p.solverType = "midpoint"
	}
	p.algorithm = f.choice("algorithm_type", "dpmsolver++", "sde-dpmsolver++", "dpmsolver", "sde-dpmsolver", "deis")
	if !strings.HasSuffix(p.algorithm, "++") && !p.finalSigmaMin {
		f.refuse("algorithm_type", ", which needs final_sigmas_type sigma_min")
	}
	if p.algorithm == "deis" {
		p.algorithm = "dpmsolver++"
	}
	if p.solverOrder < 1 || p.solverOrder > 3 || p.solverOrder == 3 && p.algorithm == "sde-dpmsolver" {
		f.refuse("solver_order", "; supported: 1, 2 and, without sde-dpmsolver, 3")
	}
	p.eulerAtFinal = f.bool("euler_at_final", false)
	p.lambdaMin = f.float("lambda_min_clipped", math.Inf(-1))
	if f.bool("use_lu_lambdas", false) && p.sigmas != "karras" {
		p.sigmas = "lu"
	}
	p.cosine = f.choice("beta_schedule", betaSchedules...) == "squaredcos_cap_v2"
	f.unsupported("variance_type")
}

// dpmStep is DPMSolverMultistepScheduler's step, a sigmaStep: DPM-Solver++ of orders 1 to 3 (Lu et al.
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

// dpmCoefficients are the factors of the sample, of the converted output and of its first and
// second differences, and of the noise.
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

// convert is convert_model_output of the DPM-Solver and UniPC classes. It converts to x₀, or to the
// noise.
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
