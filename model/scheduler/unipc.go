package scheduler

import (
	"math"
	"slices"
)

func init() {
	register(Scheduler{
		Name: "unipc", Label: "UniPC", Class: "UniPCMultistepScheduler", place: 13,
		read: readUniPC,
		build: func(s *Schedule, p params, n, first int, _ float64) error {
			s.sigmas(p, params.unipcStep, n, first)
			return nil
		},
	})
}

// readUniPC reads what UniPCMultistepScheduler has.
func readUniPC(p *params, f *fields) {
	p.prediction = f.choice("prediction_type", anyPrediction...)
	p.spacing = f.choice("timestep_spacing", "linspace", "leading", "trailing")
	readSigmas(p, f)
	readSolver(p, f)
	p.finalOfSpread = true
	p.solverType = f.choice("solver_type", "bh2", "bh1", "midpoint", "heun", "logrho")
	if p.solverType != "bh1" {
		p.solverType = "bh2"
	}
	if p.solverOrder < 1 || p.solverOrder > 4 {
		f.refuse("solver_order", "; supported: 1 to 4")
	}
	p.predictX0 = f.bool("predict_x0", true)
	f.decode("disable_corrector", &p.disableCorrector, "a list of whole numbers")
	f.unsupported("solver_p", "shift_terminal")
}

// unipcStep is UniPCMultistepScheduler's step, a sigmaStep (Zhao et al. 2023, arXiv 2302.04867): the
// corrector of the previous step's sample, then the predictor.
func (p params) unipcStep(st *Step, sigmas []float64, i, first, n int) {
	p.convert(st, sigmas[i], p.predictX0)
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
// (with target, the output at the new sigma), from sigmas[i] to sigmas[i+1]. m0 is the output at
// sigmas[i], and older(k) is the output of k-1 steps before.
func (p params) unipc(x, m0 Linear, target *Linear, sigmas []float64, i, order int, older func(k int) Linear) Linear {
	alpha, sigma := alphaSigma(sigmas[i+1])
	alpha0, sigma0 := alphaSigma(sigmas[i])
	h := lambda(sigmas[i+1]) - lambda(sigmas[i])
	hh, keep, scale := -h, sigma/sigma0, alpha
	if !p.predictX0 {
		hh, keep, scale = h, alpha/alpha0, sigma
	}
	phi1 := math.Expm1(hh)
	b := phi1
	if p.solverType == "bh1" {
		b = hh
	}
	next := Linear{}.plus(x, keep).plus(m0, -scale*phi1)
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
		next = next.plus(d, -scale*b*rhos[k])
	}
	if target != nil {
		last := scale * b * rhos[len(rhos)-1]
		next = next.plus(*target, -last).plus(m0, last)
	}
	return next
}

// solve solves linear equations, given as rows [a₁ … aₙ | b], by Gaussian elimination with
// pivoting.
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
