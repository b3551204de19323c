package scheduler

import (
	"encoding/json"
	"math"
)

func init() {
	ddim := Scheduler{
		Name: "ddim", Label: "DDIM", Class: "DDIMScheduler", place: 1, Eta: true,
		read: func(p *params, f *fields) {
			p.prediction = f.choice("prediction_type", anyPrediction...)
			p.spacing = f.choice("timestep_spacing", "leading", "linspace", "trailing")
			p.setAlphaToOne = f.bool("set_alpha_to_one", true)
			p.betas.zeroSNR = zeroSNRExactly
			readClip(p, f, true)
		},
		build: (*Schedule).ddim,
	}
	register(ddim)
	// Hyper-SD and others were distilled to these timesteps.
	ddim.Name, ddim.Label, ddim.A1111, ddim.place = "ddim_trailing", "DDIM trailing", "DDIM SGM Uniform", 2
	ddim.Arguments = trailingSpacing
	register(ddim)
}

// trailingSpacing are the arguments for timesteps that begin with the noisiest one.
var trailingSpacing = map[string]json.RawMessage{"timestep_spacing": json.RawMessage(`"trailing"`)}

// ddim is diffusers' DDIMScheduler (Song et al. 2020, arXiv 2010.02502, formula 12).
func (s *Schedule) ddim(p params, n, first int, eta float64) error {
	ts := p.integerSteps(n)
	if err := p.inTable(ts); err != nil {
		return err
	}
	ts = ts[min(first, len(ts)):]
	for i, t := range ts {
		alpha := p.alphaAt(t)
		prev := p.alphaAt(t - p.train/n)
		sigma := eta * math.Sqrt((1-prev)/(1-alpha)*(1-alpha/prev))
		st := Step{Timestep: float64(t), InputScale: 1, DrawsNoise: eta > 0}
		st.output(p.toX0(alpha), p.clip)
		// Clipping changes x₀ and not the noise (use_clipped_model_output is false).
		st.Next = Linear{}.plus(current, math.Sqrt(prev)).plus(p.toEps(alpha), math.Sqrt(1-prev-sigma*sigma)).plus(noise, sigma)
		s.addAlphaStep(p, st, ts, i)
	}
	return nil
}
