package scheduler

import "math"

func init() {
	register(Scheduler{
		Name: "tcd", Label: "TCD", Class: "TCDScheduler", place: 15, Eta: true,
		// The class has timestep_spacing, clip_sample and thresholding and does not read them.
		read: func(p *params, f *fields) {
			p.prediction = f.choice("prediction_type", anyPrediction...)
			readDistilled(p, f)
		},
		build: (*Schedule).tcd,
	})
}

// tcd is diffusers' TCDScheduler (Zheng et al. 2024, arXiv 2402.19159, algorithm 4). eta is the
// paper's gamma.
func (s *Schedule) tcd(p params, n, first int, eta float64) error {
	ts, err := p.distilledSteps("tcd", n, first)
	if err != nil {
		return err
	}
	for i, t := range ts {
		prev, last := 0, i == len(ts)-1
		if !last {
			prev = ts[i+1]
		}
		// The step goes beyond prev, to between, and noise brings it back.
		between := int(math.Floor(float64(float32(1-eta) * float32(prev))))
		alpha, to := p.alphaAt(t), p.alphaAt(between)
		st := Step{Timestep: float64(t), InputScale: 1}
		st.output(p.toX0(alpha), 0)
		st.Next = Linear{}.plus(current, math.Sqrt(to)).plus(p.toEps(alpha), math.Sqrt(1-to))
		if eta > 0 && !last {
			share := p.alphaAt(prev) / to
			st.DrawsNoise = true
			st.Next = Linear{}.plus(st.Next, math.Sqrt(share)).plus(noise, math.Sqrt(1-share))
		}
		s.addAlphaStep(p, st, ts, i)
	}
	return nil
}
