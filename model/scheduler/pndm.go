package scheduler

import (
	"fmt"
	"math"
	"slices"
)

func init() {
	register(Scheduler{
		// A1111's PLMS is PNDM with skip_prk_steps, as Stable Diffusion configures it.
		Name: "pndm", Label: "PNDM", A1111: "PLMS", Class: "PNDMScheduler", place: 3,
		read: func(p *params, f *fields) {
			p.prediction = f.choice("prediction_type", "epsilon", "v_prediction")
			p.spacing = f.choice("timestep_spacing", "leading", "linspace", "trailing")
			p.setAlphaToOne = f.bool("set_alpha_to_one", false)
			p.skipPRK = f.bool("skip_prk_steps", false)
			p.betas.zeroSNR = zeroSNRIgnored
		},
		build: (*Schedule).pndm,
	})
}

// pndm is diffusers' PNDMScheduler (Liu et al. 2022, arXiv 2202.09778): linear
// multistep, which begins with a second call at the first timestep (skip_prk_steps, as in Stable
// Diffusion's own configuration) or with three Runge-Kutta steps of four calls each.
func (s *Schedule) pndm(p params, n, first int, _ float64) error {
	ts := p.integerSteps(n)
	if err := p.inTable(ts); err != nil {
		return err
	}
	var prk []int
	if p.skipPRK {
		if n > 1 {
			ts = slices.Insert(ts, 1, ts[1])
		}
	} else {
		if half := p.train / n / 2; n < 4 || half == 0 {
			return fmt.Errorf("%d steps: the pndm scheduler with Runge-Kutta steps (skip_prk_steps is false in the model's scheduler_config.json) takes from 4 to %d", n, p.train/2)
		}
		prk = prkSteps(p.train, ts, n)
		ts = append(slices.Clone(prk), ts[3:]...)
		if ts[0] >= p.train {
			return p.inTable(ts)
		}
	}
	// As in diffusers, steps are counted from the first one that is run, although strength
	// leaves out steps at the start.
	ts = ts[min(first, len(ts)):]
	for i, t := range ts {
		st := Step{Timestep: float64(t), InputScale: 1}
		st.output(Linear{E: 1}, 0)
		if i < len(prk) {
			p.prkStep(&st, prk, ts, i, n)
		} else {
			p.plmsStep(&st, t, i-len(prk), len(prk) > 0, n)
		}
		s.addAlphaStep(p, st, ts, i)
	}
	return nil
}

// pndmMove is _get_prev_sample (formula 9): from x at timestep t to prev, by output e.
func (p params) pndmMove(x, e Linear, t, prev int) Linear {
	alpha, alphaPrev := p.alphaAt(t), p.alphaAt(prev)
	if p.prediction == "v_prediction" {
		e = Linear{}.plus(e, math.Sqrt(alpha)).plus(x, math.Sqrt(1-alpha))
	}
	denominator := alpha*math.Sqrt(1-alphaPrev) + math.Sqrt(alpha*(1-alpha)*alphaPrev)
	return Linear{}.plus(x, math.Sqrt(alphaPrev/alpha)).plus(e, -(alphaPrev-alpha)/denominator)
}

// plmsStep is step_plms, with i counted after the Runge-Kutta steps, if there are any.
func (p params) plmsStep(st *Step, t, i int, afterPRK bool, n int) {
	ratio := p.train / n
	fourth := Linear{}.plus(current, 55./24).plus(before(1), -59./24).plus(before(2), 37./24).plus(before(3), -9./24)
	if afterPRK {
		st.Push = true
		st.Next = p.pndmMove(sample, fourth, t, t-ratio)
		return
	}
	st.Push = i != 1
	switch i {
	case 0:
		st.Save, st.Saved = true, sample
		st.Next = p.pndmMove(sample, current, t, t-ratio)
	case 1: // the first step again, with the mean of both outputs
		st.Next = p.pndmMove(saved, Linear{}.plus(current, 0.5).plus(before(1), 0.5), t+ratio, t)
	case 2:
		st.Next = p.pndmMove(sample, Linear{}.plus(current, 1.5).plus(before(1), -0.5), t, t-ratio)
	case 3:
		st.Next = p.pndmMove(sample, Linear{}.plus(current, 23./12).plus(before(1), -16./12).plus(before(2), 5./12), t, t-ratio)
	default:
		st.Next = p.pndmMove(sample, fourth, t, t-ratio)
	}
}

// prkSteps are the twelve timesteps of the Runge-Kutta steps, from the four largest timesteps.
func prkSteps(train int, ts []int, n int) []int {
	half := train / n / 2
	return []int{
		ts[0], ts[1] + half, ts[1] + half, ts[1],
		ts[1], ts[2] + half, ts[2] + half, ts[2],
		ts[2], ts[3] + half, ts[3] + half, ts[3],
	}
}

// prkStep is step_prk, call i. The four calls of a step all start from its first sample, and its
// first output joins the earlier outputs, with which the multistep continues. To need no more
// state than other schedulers, the third call computes the second's output from the sample that
// it led to, and saves the sum to which the fourth call adds its own output.
func (p params) prkStep(st *Step, prk, ts []int, i, n int) {
	from := prk[i/4*4]
	half := p.train / n / 2
	switch i % 4 {
	case 0:
		st.Push = true
		st.Save, st.Saved = true, sample
		st.Next = p.pndmMove(sample, current, from, ts[i]-half)
	case 1:
		st.Next = p.pndmMove(saved, current, from, ts[i])
	case 2:
		st.Next = p.pndmMove(saved, current, from, ts[i]-half)
		second := p.pndmMove(saved, current, from, ts[i-1]) // its sample, of e₂
		e2 := Linear{X: 1, S: -second.S}
		sum := before(1)
		sum = Linear{}.plus(sum, 1./6).plus(e2, 1/(3*second.M[0])).plus(current, 1./3)
		to := ts[min(i+1, len(ts)-1)]
		st.Save, st.Saved = true, p.pndmMove(saved, sum, from, to)
	case 3:
		share := p.pndmMove(Linear{}, current, from, ts[i])
		st.Next = saved.plus(share, 1./6)
	}
}
