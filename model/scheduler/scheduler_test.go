package scheduler

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/model/random"
)

// packed are float32 in base64, little-endian.
type packed []float32

func (p *packed) UnmarshalText(text []byte) error {
	b, err := base64.StdEncoding.DecodeString(string(text))
	for ; len(b) >= 4; b = b[4:] {
		*p = append(*p, math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return err
}

type trajectory struct {
	Config, Name                      string
	Steps                             int
	Strength, Eta                     float64
	Seed                              uint64
	Finite                            bool
	Timesteps, Samples, Known, Alphas packed
	Next                              float64
	Moves                             float64 // how far the samples are from those of another scheduler
}

// trajectories are the cases of both fixtures, with their whole configurations.
func trajectories(t *testing.T) []trajectory {
	t.Helper()
	var all []trajectory
	for _, file := range []string{"trajectories.json", "fast.json"} {
		data, err := os.ReadFile("../../tests/fixtures/scheduler/" + file)
		if err != nil {
			t.Fatal(err)
		}
		var fixture struct {
			Configs map[string]string
			Cases   []trajectory
		}
		if err := json.Unmarshal(data, &fixture); err != nil {
			t.Fatal(err)
		}
		for _, c := range fixture.Cases {
			c.Config = fixture.Configs[c.Config]
			all = append(all, c)
		}
	}
	return all
}

// Every scheduler walks as diffusers' does around a toy model: tests/reference/scheduler.py.
func TestAgainstDiffusers(t *testing.T) {
	ran, later := map[string]int{}, map[string]bool{} // later: the cases of fast.json
	worst := map[string]float64{}
	for _, c := range trajectories(t) {
		config, err := ParseConfig([]byte(c.Config))
		if err != nil {
			t.Fatal(err)
		}
		s, err := New(c.Name, config, c.Steps, Options{Strength: c.Strength, Eta: c.Eta})
		if !c.Finite {
			if err == nil {
				t.Errorf("%s %s %d: no error, though diffusers has no numbers", c.Config, c.Name, c.Steps)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s %s %d: %v", c.Config, c.Name, c.Steps, err)
			continue
		}
		off := c.follow(t, config, s)
		worst[c.Name] = max(worst[c.Name], off)
		ran[c.Name]++
		later[c.Name] = c.Moves > 0
	}
	for _, n := range Names() {
		t.Logf("%-16s %3d cases, at most %.1e off", n, ran[n], worst[n])
		least := 45
		if later[n] {
			least = 13
		}
		if ran[n] < least {
			t.Errorf("only %d cases of %s ran", ran[n], n)
		}
	}
}

// follow runs a schedule beside its trajectory and returns the largest error of a
// sample, relative to the largest value so far.
func (c *trajectory) follow(t *testing.T, config Config, s *Schedule) float64 {
	fail := func(format string, args ...any) {
		t.Errorf("%s %s, %d steps, strength %g: "+format, append([]any{c.Config, c.Name, c.Steps, c.Strength}, args...)...)
	}
	chosen, _ := Find(s.Name)
	p, err := config.params(chosen)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range c.Alphas {
		// Some units in the last place: torch.linspace adds up differently with vectors
		// of 8 and of 16, so that its betas depend on the processor.
		if !(math.Abs(p.alphasCumprod[37*i]/float64(want)-1) < 5e-7) && float64(want) != p.alphasCumprod[37*i] {
			fail("alphas_cumprod[%d] is %v, want %v", 37*i, float32(p.alphasCumprod[37*i]), want)
			break
		}
	}
	if len(s.Steps) != len(c.Timesteps) {
		fail("%d steps, want %d", len(s.Steps), len(c.Timesteps))
		return 0
	}
	for i, want := range c.Timesteps {
		// Float timesteps come from logarithms that numpy takes in float32.
		if math.Abs(s.Steps[i].Timestep-float64(want)) > 1e-4 {
			fail("timestep %d is %v, want %v", i, s.Steps[i].Timestep, want)
			return 0
		}
	}
	const n = 16
	g := random.New(c.Seed)
	draw := func() []float64 {
		v := make([]float64, n)
		for i, f := range g.Normal(n) {
			v[i] = float64(f)
		}
		return v
	}
	x := draw()
	var z, noise []float64
	if c.Strength < 1 {
		z, noise = x, draw()
		x = make([]float64, n)
		for i := range x {
			x[i] = s.AddNoise.Latents*z[i] + s.AddNoise.Noise*noise[i]
		}
	} else {
		for i := range x {
			x[i] *= s.InitNoiseSigma
		}
	}
	toy := func(i int, input []float64) []float64 {
		e := make([]float64, n)
		for j := range e {
			e[j] = 0.7 * math.Sin(1.3*input[j]+s.Steps[i].Timestep/700)
		}
		return e
	}
	scale, worst := 1.0, 0.0
	for _, v := range x {
		scale = max(scale, math.Abs(v))
	}
	run(s, x, toy, func(int) []float64 { return draw() }, func(i int, x []float64) {
		for j, want := range c.Samples[4*i : 4*i+4] {
			scale = max(scale, math.Abs(x[j]))
			worst = max(worst, math.Abs(x[j]-float64(want))/scale)
		}
		if z == nil || i == len(s.Steps)-1 {
			return
		}
		for j, want := range c.Known[4*i : 4*i+4] {
			if got := s.Steps[i].Init*z[j] + s.Steps[i].InitNoise*noise[j]; math.Abs(got-float64(want)) > 1e-5 {
				fail("after step %d the init latents are %v, want %v", i, got, want)
			}
		}
	})
	// diffusers computes in float32, 6e-8 an operation: measured are 3e-6 at most.
	if !(worst < 5e-6) {
		fail("off by %.2g", worst)
	}
	if got := draw()[0]; got != c.Next {
		fail("the next random number is %v, want %v: another number of them was drawn", got, c.Next)
	}
	return worst
}

func TestErrorsNameTheField(t *testing.T) {
	for _, c := range []struct{ config, name, says string }{
		{`{"_class_name":"FlowMatchEulerDiscreteScheduler"}`, "", "FlowMatchEulerDiscreteScheduler"},
		{`{}`, "", "_class_name"},
		{`[]`, "", "JSON object"},
		{`{"_class_name":"HeunDiscreteScheduler"}`, "", "choose one of ddim"},
		{`{"_class_name":"DDIMScheduler"}`, "heun", `"heun"`},
		{`{"_class_name":"DDIMScheduler","beta_schedule":"sigmoid"}`, "", "beta_schedule"},
		{`{"_class_name":"DDIMScheduler","prediction_type":"flow_prediction"}`, "", "prediction_type"},
		{`{"_class_name":"DDIMScheduler","prediction_type":"sample"}`, "euler_a", "prediction_type"},
		{`{"_class_name":"DDIMScheduler","prediction_type":"sample","skip_prk_steps":true}`, "pndm", "prediction_type"},
		{`{"_class_name":"DDIMScheduler","thresholding":true}`, "", "thresholding"},
		{`{"_class_name":"DDIMScheduler","num_train_timesteps":"many"}`, "", "num_train_timesteps"},
		{`{"_class_name":"DDIMScheduler","trained_betas":[0.1,0.2]}`, "", "trained_betas"},
		{`{"_class_name":"DDIMScheduler","timestep_spacing":"even"}`, "unipc", "timestep_spacing"},
		{`{"_class_name":"DDIMScheduler","use_beta_sigmas":true}`, "euler", "use_beta_sigmas"},
		{`{"_class_name":"DDIMScheduler","use_exponential_sigmas":true}`, "dpmpp_2m_karras", "use_exponential_sigmas"},
		{`{"_class_name":"UniPCMultistepScheduler","use_flow_sigmas":true}`, "", "use_flow_sigmas"},
		{`{"_class_name":"UniPCMultistepScheduler","solver_p":{}}`, "", "solver_p"},
		{`{"_class_name":"DPMSolverMultistepScheduler","algorithm_type":"dpmsolver"}`, "", "algorithm_type"},
		{`{"_class_name":"DPMSolverMultistepScheduler","solver_order":4}`, "", "solver_order"},
		{`{"_class_name":"EulerDiscreteScheduler","interpolation_type":"cubic"}`, "", "interpolation_type"},
		{`{"_class_name":"LCMScheduler","original_inference_steps":3}`, "", "original_inference_steps"},
		{`{"_class_name":"DDIMScheduler"}`, "pndm", "skip_prk_steps"}, // below: 3 steps
	} {
		steps := 4
		if c.says == "skip_prk_steps" {
			steps = 3
		}
		config, err := ParseConfig([]byte(c.config))
		if err == nil {
			_, err = New(c.name, config, steps, Options{})
		}
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s as %q: the error is %v, and should name %s", c.config, c.name, err, c.says)
		}
	}
}

// Every number of steps gives finite tables, or an error.
func TestAnyNumberOfSteps(t *testing.T) {
	for _, spacing := range []string{"leading", "linspace", "trailing"} {
		config, err := ParseConfig([]byte(`{"_class_name":"PNDMScheduler","beta_start":0.00085,"beta_end":0.012,"beta_schedule":"scaled_linear",
			"skip_prk_steps":true,"steps_offset":1,"timestep_spacing":"` + spacing + `"}`))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range Names() {
			most := 500
			if name == "lcm" || name == "tcd" {
				most = 50
			}
			for n := 1; n <= most; n += 1 + n/60*13 {
				if s, err := New(name, config, n, Options{}); err != nil {
					t.Errorf("%s %s, %d steps: %v", spacing, name, n, err)
				} else if extra := len(s.Steps) - n; extra != 0 && !(name == "pndm" && extra == 1) {
					t.Errorf("%s %s has %d steps, asked for %d", spacing, name, len(s.Steps), n)
				}
			}
		}
	}
}
