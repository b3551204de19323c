// Package scheduler turns diffusers' schedulers into tables of linear steps. Every one
// of them moves the sample by a sum of what is known, times numbers that are known
// before the run; so one GPU kernel, or Run here, executes them all.
package scheduler

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// Names are the schedulers by the names of the command line.
var Names = []string{"ddim", "pndm", "dpmpp_2m", "dpmpp_2m_karras", "euler", "euler_a", "unipc", "lcm"}

// classes are diffusers' classes by our names.
var classes = map[string]string{
	"ddim": "DDIMScheduler", "pndm": "PNDMScheduler", "dpmpp_2m": "DPMSolverMultistepScheduler",
	"dpmpp_2m_karras": "DPMSolverMultistepScheduler", "euler": "EulerDiscreteScheduler",
	"euler_a": "EulerAncestralDiscreteScheduler", "unipc": "UniPCMultistepScheduler", "lcm": "LCMScheduler",
}

// Config is a scheduler_config.json. As in diffusers, a field that the file does not
// have takes the default of the class that is made from it.
type Config struct {
	class  string
	fields map[string]json.RawMessage
}

// ParseConfig reads a scheduler_config.json.
func ParseConfig(data []byte) (Config, error) {
	c := Config{}
	if err := json.Unmarshal(data, &c.fields); err != nil {
		return c, fmt.Errorf("scheduler_config.json is not a JSON object: %w", err)
	}
	c.class = read(c, "_class_name", "")
	if c.Name() == "" {
		return c, fmt.Errorf("scheduler_config.json: _class_name is %q; supported: %s", c.class, strings.Join(supported(), ", "))
	}
	return c, nil
}

func supported() []string {
	var list []string
	for _, n := range Names {
		if n != "dpmpp_2m_karras" {
			list = append(list, classes[n])
		}
	}
	return list
}

// Name is our name of the configuration's own class.
func (c Config) Name() string {
	for _, n := range Names {
		if classes[n] == c.class {
			if n == "dpmpp_2m" && read(c, "use_karras_sigmas", false) {
				return "dpmpp_2m_karras"
			}
			return n
		}
	}
	// The training scheduler of many a repository: its fields are all that is taken.
	if c.class == "DDPMScheduler" {
		return "ddim"
	}
	return ""
}

func read[T any](c Config, name string, missing T) T {
	raw, ok := c.fields[name]
	if !ok || string(raw) == "null" {
		return missing
	}
	var v T
	if json.Unmarshal(raw, &v) != nil {
		return missing
	}
	return v
}

// params are the fields with the defaults of one class.
type params struct {
	name                          string
	train                         int
	prediction                    string
	clip                          float64 // clip_sample_range, or 0
	setAlphaToOne                 bool
	offset                        int
	spacing                       string
	karras                        bool
	solverOrder                   int
	solverType                    string
	lowerOrderFinal, eulerAtFinal bool
	finalSigmaMin                 bool
	logLinear                     bool
	originalSteps                 int
	timestepScaling               float64
	disableCorrector              []int
	sigmaMin, sigmaMax            float64 // NaN where the table's are meant
	alphasCumprod                 []float64
}

// params reads the configuration as the class of that name does.
func (c Config) params(name string) (params, error) {
	p := params{name: name}
	var errs []string
	refuse := func(field string, value any, why string) {
		errs = append(errs, fmt.Sprintf("%s is %v%s", field, value, why))
	}
	p.train = read(c, "num_train_timesteps", 1000)
	p.prediction = read(c, "prediction_type", "epsilon")
	if p.prediction != "epsilon" && p.prediction != "v_prediction" && p.prediction != "sample" {
		refuse("prediction_type", p.prediction, "; supported: epsilon, v_prediction, sample")
	}
	defaultSpacing := "linspace"
	if name == "ddim" || name == "pndm" || name == "lcm" {
		defaultSpacing = "leading"
	}
	p.spacing = read(c, "timestep_spacing", defaultSpacing)
	if p.spacing != "linspace" && p.spacing != "leading" && p.spacing != "trailing" {
		refuse("timestep_spacing", p.spacing, "; supported: linspace, leading, trailing")
	}
	p.offset = read(c, "steps_offset", 0)
	p.sigmaMin, p.sigmaMax = read(c, "sigma_min", math.NaN()), read(c, "sigma_max", math.NaN())
	if read(c, "thresholding", false) && name != "euler" && name != "euler_a" && name != "pndm" {
		refuse("thresholding", true, ", which is not for latents")
	}
	if name == "ddim" || name == "lcm" {
		if read(c, "clip_sample", name == "ddim") {
			p.clip = read(c, "clip_sample_range", 1.0)
		}
	}
	p.setAlphaToOne = read(c, "set_alpha_to_one", name != "pndm")
	switch name {
	case "pndm":
		if !read(c, "skip_prk_steps", false) {
			refuse("skip_prk_steps", false, "; PNDM is supported as Stable Diffusion uses it, with true")
		}
	case "dpmpp_2m", "dpmpp_2m_karras", "unipc", "euler":
		p.karras = name == "dpmpp_2m_karras" || (name != "dpmpp_2m" || c.class == classes[name]) && read(c, "use_karras_sigmas", false)
		for _, f := range []string{"use_exponential_sigmas", "use_beta_sigmas", "use_flow_sigmas", "use_lu_lambdas"} {
			if read(c, f, false) {
				refuse(f, true, ", which is not supported")
			}
		}
		p.solverOrder = read(c, "solver_order", 2)
		p.lowerOrderFinal = read(c, "lower_order_final", true)
		p.eulerAtFinal = read(c, "euler_at_final", false)
		switch f := read(c, "final_sigmas_type", "zero"); f {
		case "zero":
		case "sigma_min":
			p.finalSigmaMin = true
		default:
			refuse("final_sigmas_type", f, "; supported: zero, sigma_min")
		}
	}
	switch name {
	case "dpmpp_2m", "dpmpp_2m_karras":
		p.solverType = read(c, "solver_type", "midpoint")
		if p.solverType != "midpoint" && p.solverType != "heun" {
			// As diffusers: another family's solver types are taken for midpoint.
			p.solverType = "midpoint"
		}
		if a := read(c, "algorithm_type", "dpmsolver++"); a != "dpmsolver++" && a != "deis" {
			refuse("algorithm_type", a, "; supported: dpmsolver++")
		}
		if p.solverOrder > 2 {
			refuse("solver_order", p.solverOrder, "; supported: 1, 2")
		}
		if raw, ok := c.fields["lambda_min_clipped"]; ok && string(raw) != `"-inf"` && string(raw) != "null" && string(raw) != "-Infinity" {
			refuse("lambda_min_clipped", string(raw), ", which is not supported")
		}
	case "unipc":
		p.solverType = read(c, "solver_type", "bh2")
		if p.solverType != "bh1" && p.solverType != "bh2" {
			p.solverType = "bh2"
		}
		if !read(c, "predict_x0", true) {
			refuse("predict_x0", false, ", which is not supported")
		}
		if p.solverOrder > 3 {
			refuse("solver_order", p.solverOrder, "; supported: 1, 2, 3")
		}
		p.disableCorrector = read(c, "disable_corrector", []int{})
	case "euler":
		switch i := read(c, "interpolation_type", "linear"); i {
		case "linear":
		case "log_linear":
			p.logLinear = true
		default:
			refuse("interpolation_type", i, "; supported: linear, log_linear")
		}
		if t := read(c, "timestep_type", "discrete"); t != "discrete" {
			refuse("timestep_type", t, "; supported: discrete")
		}
	case "lcm":
		p.originalSteps = read(c, "original_inference_steps", 50)
		p.timestepScaling = read(c, "timestep_scaling", 10.0)
	}
	if len(errs) > 0 {
		return p, fmt.Errorf("scheduler_config.json: %s", strings.Join(errs, "; "))
	}
	var err error
	p.alphasCumprod, err = c.alphas(name, p.train)
	return p, err
}

// alphas is alphas_cumprod, with torch's float32 roundings.
func (c Config) alphas(name string, n int) ([]float64, error) {
	start, end, schedule := 0.0001, 0.02, "linear"
	if name == "lcm" {
		start, end, schedule = 0.00085, 0.012, "scaled_linear"
	}
	start, end = read(c, "beta_start", start), read(c, "beta_end", end)
	betas := make([]float32, n)
	switch s := read(c, "beta_schedule", schedule); s {
	case "linear":
		linspace(betas, start, end)
	case "scaled_linear":
		linspace(betas, math.Sqrt(start), math.Sqrt(end))
		for i, b := range betas {
			betas[i] = b * b
		}
	case "squaredcos_cap_v2":
		bar := func(t float64) float64 { return math.Pow(math.Cos((t+0.008)/1.008*math.Pi/2), 2) }
		for i := range betas {
			betas[i] = float32(min(1-bar(float64(i+1)/float64(n))/bar(float64(i)/float64(n)), 0.999))
		}
	default:
		return nil, fmt.Errorf("scheduler_config.json: beta_schedule is %q; supported: linear, scaled_linear, squaredcos_cap_v2", s)
	}
	if trained := read(c, "trained_betas", []float64(nil)); trained != nil {
		betas = make([]float32, len(trained))
		for i, b := range trained {
			betas[i] = float32(b)
		}
	}
	zero := read(c, "rescale_betas_zero_snr", false) && name != "pndm"
	if zero {
		rescaleZeroSNR(betas)
	}
	cumprod := make([]float64, len(betas))
	product := 1.0
	for i, b := range betas {
		product *= float64(1 - b)
		cumprod[i] = float64(float32(product))
	}
	if zero && (name == "euler" || name == "euler_a" || name == "unipc" || strings.HasPrefix(name, "dpmpp")) {
		// Close to zero without being it, so that the first sigma is finite.
		cumprod[len(cumprod)-1] = math.Exp2(-24)
	}
	return cumprod, nil
}

// linspace is torch.linspace in float32: counted from both ends.
func linspace(out []float32, start, end float64) {
	n := len(out)
	step := (float32(end) - float32(start)) / float32(n-1)
	for i := range out {
		if i < n/2 {
			out[i] = float32(start) + step*float32(i)
		} else {
			out[i] = float32(end) - step*float32(n-1-i)
		}
	}
}

// rescaleZeroSNR is diffusers' function of that name (Lin et al. 2023, algorithm 1).
func rescaleZeroSNR(betas []float32) {
	n := len(betas)
	bar := make([]float32, n)
	product := 1.0
	for i, b := range betas {
		product *= float64(1 - b)
		bar[i] = float32(math.Sqrt(float64(float32(product))))
	}
	first, last := bar[0], bar[n-1]
	for i := range bar {
		bar[i] = (bar[i] - last) * (first / (first - last))
		bar[i] *= bar[i]
	}
	for i := n - 1; i > 0; i-- {
		betas[i] = 1 - bar[i]/bar[i-1]
	}
	betas[0] = 1 - bar[0]
}
