package scheduler

import "math"

// params are the fields with the defaults of one class.
type params struct {
	train         int // num_train_timesteps
	betas         betaDefaults
	alphasCumprod []float64
	prediction    string
	spacing       string
	offset        int     // steps_offset
	clip          float64 // clip_sample_range, or 0
	setAlphaToOne bool
	skipPRK       bool

	solverOrder                   int
	solverType, algorithm         string
	lowerOrderFinal, eulerAtFinal bool
	predictX0                     bool
	disableCorrector              []int
	euler                         bool   // one of Euler's classes, whose timesteps are not rounded
	ancestral                     bool   // Euler's ancestral class
	sigmas                        string // "", karras, exponential or lu: how the steps are spread
	cosine                        bool   // beta_schedule is squaredcos_cap_v2
	lambdaMin                     float64
	finalSigmaMin                 bool    // final_sigmas_type is sigma_min
	finalOfSpread                 bool    // that is the smallest sigma of the spread, not of the table
	sigmaMin, sigmaMax            float64 // NaN where the ends of the table are meant
	logLinear, continuous         bool

	originalSteps   int
	timestepScaling float64
}

// params reads the configuration as a scheduler's class does in diffusers.
func (c Config) params(s Scheduler) (params, error) {
	f := c.fields(s)
	p := params{train: f.int("num_train_timesteps", 1000), offset: f.int("steps_offset", 0), lambdaMin: math.Inf(-1), betas: usualBetas}
	s.read(&p, f)
	if f.wrong == nil {
		p.alphasCumprod = f.alphas(p.betas, p.train)
	}
	return p, f.err()
}

// anyPrediction are the values of prediction_type that most classes know.
var anyPrediction = []string{"epsilon", "v_prediction", "sample"}

// readClip reads how x₀ is clipped; missing is the class's default for clip_sample.
func readClip(p *params, f *fields, missing bool) {
	f.unsupported("thresholding")
	if f.bool("clip_sample", missing) {
		p.clip = f.float("clip_sample_range", 1)
	}
}

// readSigmas reads how the sigmas of a run are spread.
func readSigmas(p *params, f *fields) {
	f.unsupported("use_beta_sigmas")
	karras, exponential := f.bool("use_karras_sigmas", false), f.bool("use_exponential_sigmas", false)
	switch {
	case karras && exponential:
		f.refuse("use_exponential_sigmas", ", and so is use_karras_sigmas: only one of them can be used")
	case karras:
		p.sigmas = "karras"
	case exponential:
		p.sigmas = "exponential"
	}
	p.sigmaMin, p.sigmaMax = f.float("sigma_min", math.NaN()), f.float("sigma_max", math.NaN())
	p.finalSigmaMin = f.choice("final_sigmas_type", "zero", "sigma_min") == "sigma_min"
}

// readSolver reads what DPM-Solver and UniPC have in common.
func readSolver(p *params, f *fields) {
	f.unsupported("thresholding", "use_flow_sigmas", "use_dynamic_shifting")
	p.solverOrder = f.int("solver_order", 2)
	p.lowerOrderFinal = f.bool("lower_order_final", true)
}
