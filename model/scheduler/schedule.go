package scheduler

import (
	"fmt"
	"math"
	"strings"
)

// Linear is a sum of the quantities that a step knows, each times a number.
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

var (
	sample  = Linear{X: 1}
	saved   = Linear{S: 1}
	noise   = Linear{Noise: 1}
	current = Linear{M: [5]float64{1}}
)

// before is the converted output of k pushes ago, from 1.
func before(k int) Linear {
	var l Linear
	l.M[k] = 1
	return l
}

// Step is one step of a Schedule.
type Step struct {
	Timestep   float64 // the UNet's input
	InputScale float64 // the UNet sees the sample times this
	// The converted output m = clamp(MX·x + ME·e, ±Clip); Clip 0 does not clamp.
	MX, ME, Clip float64
	Next         Linear // the new sample
	Save         bool   // whether the saved sample becomes Saved
	Saved        Linear
	Push         bool // whether m becomes the newest of the earlier outputs
	DrawsNoise   bool // whether diffusers draws noise in this step, even if it does not use it
	// The start picture's latents as noisy as the new sample is, Init·x₀ + InitNoise·noise:
	// for inpainting with a UNet of four channels.
	Init, InitNoise float64
	// The clean sample that the model predicts, x₀ = X·x + E·e (diffusers' pred_original_sample
	// before it is clipped). It shows between steps what the picture will be.
	Clean struct{ X, E float64 }
}

// output sets what a step converts the model's output to.
func (s *Step) output(l Linear, clip float64) { s.MX, s.ME, s.Clip = l.X, l.E, clip }

// finite tells whether all numbers of a step are finite.
func (s *Step) finite() bool {
	list := []float64{s.Timestep, s.InputScale, s.MX, s.ME, s.Clip, s.Init, s.InitNoise, s.Clean.X, s.Clean.E}
	for _, l := range []Linear{s.Next, s.Saved} {
		list = append(append(list, l.X, l.S, l.E, l.Noise), l.M[:]...)
	}
	for _, v := range list {
		if math.IsNaN(v) || math.Abs(v) > math.MaxFloat32 {
			return false
		}
	}
	return true
}

// Schedule is a run of a scheduler.
type Schedule struct {
	Name           string
	Steps          []Step
	InitNoiseSigma float64 // the scale of the initial noise, where there is no start picture
	// AddNoise makes the first sample from a start picture's latents: Latents·x₀ + Noise·noise.
	AddNoise struct{ Latents, Noise float64 }
}

// Noised is how a picture's latents become as noisy as the sample before a step is, and then
// the UNet's input: latents·x₀ + noise·ε.
func (s *Schedule) Noised(step int) (latents, noise float64) {
	latents, noise = s.AddNoise.Latents, s.AddNoise.Noise
	if step > 0 {
		latents, noise = s.Steps[step-1].Init, s.Steps[step-1].InitNoise
	}
	scale := s.Steps[step].InputScale
	return latents * scale, noise * scale
}

// Options are those of New.
type Options struct {
	// Strength of an image-to-image run, between 0 and 1: the fraction of the steps, the
	// last ones, that is run. 0 and 1 run all of them.
	Strength float64
	// Eta is how much of each step is fresh noise, from 0, for none, to 1. Only schedulers whose
	// class takes it (Scheduler.Eta) read it. It is DDIM's eta, and the gamma of TCD's paper.
	Eta float64
}

// New makes the schedule of a run of a number of steps, as diffusers' class makes it from the
// configuration. name is a scheduler's name, or "" for the configuration's own class. PNDM has
// more steps than it is asked for: one more, or nine with Runge-Kutta steps.
func New(name string, c Config, steps int, o Options) (*Schedule, error) {
	if name == "" {
		if name = c.Name(); name == "" {
			return nil, fmt.Errorf("the model's own scheduler, %s, is not available here: choose one of %s", c.class, strings.Join(Names(), ", "))
		}
	}
	chosen, ok := Find(name)
	if !ok {
		return nil, fmt.Errorf("there is no scheduler %q: choose one of %s", name, strings.Join(Names(), ", "))
	}
	p, err := c.params(chosen)
	if err != nil {
		return nil, err
	}
	if steps < 1 || steps > p.train {
		return nil, fmt.Errorf("%d steps are not possible: choose from 1 to %d", steps, p.train)
	}
	first := 0
	if o.Strength > 0 && o.Strength < 1 {
		// get_timesteps of the image-to-image and inpainting pipelines.
		first = max(steps-int(float64(steps)*o.Strength), 0)
	}
	s := &Schedule{Name: name, InitNoiseSigma: 1}
	if err := chosen.build(s, p, steps, first, o.Eta); err != nil {
		return nil, err
	}
	if len(s.Steps) == 0 {
		return nil, fmt.Errorf("%d steps at strength %g leave none to run: raise one of the two", steps, o.Strength)
	}
	s.predictClean(p.prediction)
	for i := range s.Steps {
		if !s.Steps[i].finite() {
			return nil, fmt.Errorf("the scheduler %s divides by zero in step %d of %d with this model's scheduler_config.json "+
				"(a last sigma equal to the one before, or prediction_type %s where no signal is left): choose another scheduler or another number of steps",
				name, i+1, len(s.Steps), p.prediction)
		}
	}
	return s, nil
}
