package scheduler

import (
	"math"
	"strings"
)

// params are the fields with the defaults of one class.
type params struct {
	name          string // ours
	train         int    // num_train_timesteps
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
	sigmas                        string // "", karras, exponential or lu: how the steps are spread
	cosine                        bool   // beta_schedule is squaredcos_cap_v2
	lambdaMin                     float64
	finalSigmaMin                 bool
	sigmaMin, sigmaMax            float64 // NaN where the table's are meant
	logLinear, continuous         bool

	originalSteps   int
	timestepScaling float64
}

// params reads the configuration as diffusers' class of that name does, each field
// with the class's own default (the __init__ of each scheduling_*.py).
func (c Config) params(name string) (params, error) {
	f := c.fields(classes[name])
	p := params{name: name, train: f.int("num_train_timesteps", 1000), offset: f.int("steps_offset", 0), lambdaMin: math.Inf(-1)}
	switch name {
	case "pndm", "euler_a":
		p.prediction = f.choice("prediction_type", "epsilon", "v_prediction")
	default:
		p.prediction = f.choice("prediction_type", "epsilon", "v_prediction", "sample")
	}
	switch name {
	case "ddim", "pndm":
		p.spacing = f.choice("timestep_spacing", "leading", "linspace", "trailing")
	case "lcm": // has the field and does not read it
	default:
		p.spacing = f.choice("timestep_spacing", "linspace", "leading", "trailing")
	}
	switch name {
	case "ddim":
		p.setAlphaToOne = f.bool("set_alpha_to_one", true)
		p.readClip(f, true)
	case "pndm":
		p.setAlphaToOne = f.bool("set_alpha_to_one", false)
		p.skipPRK = f.bool("skip_prk_steps", false)
	case "lcm":
		p.setAlphaToOne = f.bool("set_alpha_to_one", true)
		p.readClip(f, false)
		p.originalSteps = f.int("original_inference_steps", 50)
		p.timestepScaling = f.float("timestep_scaling", 10)
		if p.originalSteps < 1 || p.originalSteps > p.train {
			f.refuse("original_inference_steps", ": it has to be from 1 to num_train_timesteps")
		}
	case "euler":
		p.readSigmas(f, false)
		p.logLinear = f.choice("interpolation_type", "linear", "log_linear") == "log_linear"
		p.continuous = f.choice("timestep_type", "discrete", "continuous") == "continuous"
	case "dpmpp_2m", "dpmpp_2m_karras":
		p.readSigmas(f, name == "dpmpp_2m_karras")
		p.readSolver(f)
		p.readDPM(f)
	case "unipc":
		p.readSigmas(f, false)
		p.readSolver(f)
		p.readUniPC(f)
	}
	if f.wrong == nil {
		p.alphasCumprod = f.alphas(name, p.train)
	}
	return p, f.err()
}

func (p *params) readClip(f *fields, missing bool) {
	f.unsupported("thresholding")
	if f.bool("clip_sample", missing) {
		p.clip = f.float("clip_sample_range", 1)
	}
}

// readSigmas reads how the sigmas of a run are spread.
func (p *params) readSigmas(f *fields, karras bool) {
	f.unsupported("use_beta_sigmas")
	exponential := f.bool("use_exponential_sigmas", false)
	if karras || f.bool("use_karras_sigmas", false) {
		p.sigmas = "karras"
		if exponential {
			f.refuse("use_exponential_sigmas", ", and Karras's sigmas are asked for, too: only one of them can be used")
		}
	} else if exponential {
		p.sigmas = "exponential"
	}
	p.sigmaMin, p.sigmaMax = f.float("sigma_min", math.NaN()), f.float("sigma_max", math.NaN())
	p.finalSigmaMin = f.choice("final_sigmas_type", "zero", "sigma_min") == "sigma_min"
}

func (p *params) readSolver(f *fields) {
	f.unsupported("thresholding", "use_flow_sigmas", "use_dynamic_shifting")
	p.solverOrder = f.int("solver_order", 2)
	p.lowerOrderFinal = f.bool("lower_order_final", true)
}

// readDPM reads what only DPMSolverMultistepScheduler has. Solver types of other
// families mean the class's own first one, as in its __init__.
func (p *params) readDPM(f *fields) {
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

// readUniPC reads what only UniPCMultistepScheduler has.
func (p *params) readUniPC(f *fields) {
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
