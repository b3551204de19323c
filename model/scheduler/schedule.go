package scheduler

import (
	"fmt"
	"math"
	"strings"
)

// Linear is a sum of what a step knows, each times a number.
type Linear struct {
	X, S, E float64    // the sample, the saved sample, the model's output after guidance
	M       [5]float64 // converted outputs: this step's, then the four before, newest first
	Noise   float64
}

func (a Linear) plus(b Linear, times float64) Linear {
	a.X += times * b.X
	a.S += times * b.S
	a.E += times * b.E
	for i := range a.M {
		a.M[i] += times * b.M[i]
	}
	a.Noise += times * b.Noise
	return a
}

// Step is one step of a Schedule.
type Step struct {
	Timestep   float64 // what the UNet is told
	InputScale float64 // the UNet sees the sample times this
	// The converted output m = clamp(MX·x + ME·e, ±Clip); Clip 0 does not clamp.
	MX, ME, Clip float64
	Next         Linear // the new sample
	Save         bool   // whether the saved sample becomes Saved
	Saved        Linear
	Push         bool // whether m joins the outputs before
	DrawsNoise   bool // whether diffusers draws noise in this step (it may then not be used)
	// Init latents with noise as noisy as the new sample is: Init·x₀ + InitNoise·noise,
	// for inpainting with a UNet of four channels.
	Init, InitNoise float64
}

// Schedule is a run of a scheduler.
type Schedule struct {
	Name           string
	Steps          []Step
	InitNoiseSigma float64 // the initial noise of a run without a picture is scaled by it
	// AddNoise gives the sample at the start from a picture's latents: Latents·x₀ + Noise·noise.
	AddNoise struct{ Latents, Noise float64 }
}

// Options are those of New.
type Options struct {
	// Strength, between 0 and 1, of an image-to-image run: the part of the steps, the
	// last ones, that is run. 0 and 1 run all.
	Strength float64
	Eta      float64 // DDIM's, 0 for none
}

// New makes the schedule of a run of so many steps, as diffusers' class of that name
// makes it from the configuration; "" is the configuration's own class.
func New(name string, c Config, steps int, o Options) (*Schedule, error) {
	if name == "" {
		name = c.Name()
	}
	if _, ok := classes[name]; !ok {
		return nil, fmt.Errorf("there is no scheduler %q; there are %s", name, strings.Join(Names, ", "))
	}
	p, err := c.params(name)
	if err != nil {
		return nil, err
	}
	if steps < 1 || steps > p.train {
		return nil, fmt.Errorf("%d steps: from 1 to %d are possible", steps, p.train)
	}
	first := 0
	if o.Strength > 0 && o.Strength < 1 {
		first = max(steps-int(float64(steps)*o.Strength), 0)
	}
	s := &Schedule{Name: name, InitNoiseSigma: 1}
	switch name {
	case "ddim":
		err = s.ddim(p, steps, first, o.Eta)
	case "pndm":
		err = s.pndm(p, steps, first)
	case "lcm":
		err = s.lcm(p, steps, first)
	default:
		err = s.sigmas(p, steps, first)
	}
	if err == nil && len(s.Steps) == 0 {
		err = fmt.Errorf("%d steps at strength %g leave none to run: raise one of the two", steps, o.Strength)
	}
	return s, err
}

// alphaAt is alphas_cumprod at a timestep; before the first it is the final one.
func (p params) alphaAt(t int) float64 {
	if t >= 0 {
		return p.alphasCumprod[t]
	}
	if p.setAlphaToOne {
		return 1
	}
	return p.alphasCumprod[0]
}

// toX0 is x₀ from the sample and the model's output, at an alpha_cumprod.
func (p params) toX0(alpha float64) Linear {
	a, b := math.Sqrt(alpha), math.Sqrt(1-alpha)
	switch p.prediction {
	case "v_prediction":
		return Linear{X: a, E: -b}
	case "sample":
		return Linear{E: 1}
	}
	return Linear{X: 1 / a, E: -b / a}
}

// toEps is the noise from the sample and the model's output.
func (p params) toEps(alpha float64) Linear {
	a, b := math.Sqrt(alpha), math.Sqrt(1-alpha)
	switch p.prediction {
	case "v_prediction":
		return Linear{X: b, E: a}
	case "sample":
		return Linear{X: 1 / b, E: -a / b}
	}
	return Linear{E: 1}
}

// output makes l what a step converts the model's output to.
func (s *Step) output(l Linear, clip float64) { s.MX, s.ME, s.Clip = l.X, l.E, clip }

var (
	sample  = Linear{X: 1}
	saved   = Linear{S: 1}
	noise   = Linear{Noise: 1}
	current = Linear{M: [5]float64{1}}
)

// before is the converted output of k steps ago, k from 1.
func before(k int) Linear {
	var l Linear
	l.M[k] = 1
	return l
}

// rint rounds halves to even, as numpy does.
func rint(x float64) int { return int(math.RoundToEven(x)) }

// integerSteps are DDIM's and PNDM's timesteps, the largest first.
func (p params) integerSteps(n int) []int {
	ts := make([]int, n)
	for i := range ts {
		switch p.spacing {
		case "linspace":
			v := 0.0
			if n > 1 {
				v = float64(p.train-1) / float64(n-1) * float64(i)
			}
			ts[n-1-i] = rint(v)
		case "leading":
			ts[n-1-i] = i*(p.train/n) + p.offset
		default:
			ts[i] = rint(float64(p.train)-float64(i)*float64(p.train)/float64(n)) - 1
		}
	}
	return ts
}

// ddim is diffusers' DDIMScheduler (Song et al. 2020, formula 12).
func (s *Schedule) ddim(p params, n, first int, eta float64) error {
	ts := p.integerSteps(n)
	if ts[0] >= len(p.alphasCumprod) {
		return fmt.Errorf("scheduler_config.json: steps_offset %d reaches beyond num_train_timesteps for %d steps", p.offset, n)
	}
	for i, t := range ts[first:] {
		alpha := p.alphaAt(t)
		prev := p.alphaAt(t - p.train/n)
		sigma := eta * math.Sqrt((1-prev)/(1-alpha)*(1-alpha/prev))
		st := Step{Timestep: float64(t), InputScale: 1, DrawsNoise: eta > 0}
		st.output(p.toX0(alpha), p.clip)
		st.Next = Linear{}.plus(current, math.Sqrt(prev)).plus(p.toEps(alpha), math.Sqrt(1-prev-sigma*sigma)).plus(noise, sigma)
		s.addAlphaStep(p, st, ts[first:], i)
	}
	return nil
}

// addAlphaStep appends a step and what inpainting and image-to-image need of it, for
// the schedulers that work with alphas.
func (s *Schedule) addAlphaStep(p params, st Step, ts []int, i int) {
	if i == 0 {
		a := p.alphaAt(ts[0])
		s.AddNoise.Latents, s.AddNoise.Noise = math.Sqrt(a), math.Sqrt(1-a)
	}
	st.Init = 1
	if i+1 < len(ts) {
		a := p.alphaAt(ts[i+1])
		st.Init, st.InitNoise = math.Sqrt(a), math.Sqrt(1-a)
	}
	s.Steps = append(s.Steps, st)
}

// pndm is diffusers' PNDMScheduler with skip_prk_steps: linear multistep (Liu et al.
// 2022), of which the second call repeats the first's timestep.
func (s *Schedule) pndm(p params, n, first int) error {
	ts := p.integerSteps(n)
	if n > 1 {
		ts = append([]int{ts[0], ts[1]}, ts[1:]...)
	}
	if ts[0] >= len(p.alphasCumprod) {
		return fmt.Errorf("scheduler_config.json: steps_offset %d reaches beyond num_train_timesteps for %d steps", p.offset, n)
	}
	ts = ts[min(first, len(ts)):]
	ratio := p.train / n
	pushed := 0
	for i, t := range ts {
		st := Step{Timestep: float64(t), InputScale: 1}
		st.output(Linear{E: 1}, 0)
		at, prev := t, t-ratio
		from := sample
		var e Linear
		if i == 1 {
			at, prev = t+ratio, t
			from = saved
			e = current.plus(before(1), 1)
			e = Linear{}.plus(e, 0.5)
		} else {
			st.Push = true
			pushed++
			switch pushed {
			case 1:
				e = current
				st.Save, st.Saved = true, sample
			case 2:
				e = Linear{}.plus(current, 1.5).plus(before(1), -0.5)
			case 3:
				e = Linear{}.plus(current, 23./12).plus(before(1), -16./12).plus(before(2), 5./12)
			default:
				e = Linear{}.plus(current, 55./24).plus(before(1), -59./24).plus(before(2), 37./24).plus(before(3), -9./24)
			}
		}
		alpha, alphaPrev := p.alphaAt(at), p.alphaAt(prev)
		x := from
		switch p.prediction {
		case "v_prediction":
			e = Linear{}.plus(e, math.Sqrt(alpha)).plus(x, math.Sqrt(1-alpha))
		case "sample":
			return fmt.Errorf("scheduler_config.json: prediction_type is sample, which PNDM does not have")
		}
		denominator := alpha*math.Sqrt(1-alphaPrev) + math.Sqrt(alpha*(1-alpha)*alphaPrev)
		st.Next = Linear{}.plus(x, math.Sqrt(alphaPrev/alpha)).plus(e, -(alphaPrev-alpha)/denominator)
		s.addAlphaStep(p, st, ts, i)
	}
	return nil
}

// lcm is diffusers' LCMScheduler (Luo et al. 2023).
func (s *Schedule) lcm(p params, n, first int) error {
	k := p.train / p.originalSteps
	if n > p.originalSteps {
		return fmt.Errorf("%d steps: the lcm scheduler takes at most original_inference_steps, %d", n, p.originalSteps)
	}
	ts := make([]int, n)
	for i := range ts {
		index := int(math.Floor(float64(i) * float64(p.originalSteps) / float64(n)))
		ts[i] = (p.originalSteps-index)*k - 1
	}
	ts = ts[first:]
	for i, t := range ts {
		alpha := p.alphaAt(t)
		scaled := float64(t) * p.timestepScaling
		const data = 0.5
		skip := data * data / (scaled*scaled + data*data)
		out := scaled / math.Sqrt(scaled*scaled+data*data)
		st := Step{Timestep: float64(t), InputScale: 1}
		st.output(p.toX0(alpha), p.clip)
		denoised := Linear{}.plus(current, out).plus(sample, skip)
		if i < len(ts)-1 {
			prev := p.alphaAt(ts[i+1])
			st.DrawsNoise = true
			denoised = Linear{}.plus(denoised, math.Sqrt(prev)).plus(noise, math.Sqrt(1-prev))
		}
		st.Next = denoised
		s.addAlphaStep(p, st, ts, i)
	}
	return nil
}
