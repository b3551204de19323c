package scheduler

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// compatible are classes that are not run themselves, but whose configurations the schedulers
// here accept (KarrasDiffusionSchedulers in diffusers' scheduling_utils.py).
var compatible = []string{
	"DDPMScheduler", "LMSDiscreteScheduler", "HeunDiscreteScheduler", "DPMSolverSinglestepScheduler", "KDPM2DiscreteScheduler",
	"KDPM2AncestralDiscreteScheduler", "DEISMultistepScheduler", "DPMSolverSDEScheduler",
}

// Config is a scheduler_config.json. As in diffusers, a field that is missing from the file
// takes the default of the class that is made from it.
type Config struct {
	class string
	raw   map[string]json.RawMessage
}

// notJSON matches what Python writes for numbers that JSON does not have, and strings, so that
// nothing inside a string is taken for such a number. DPM-Solver's lambda_min_clipped is
// -Infinity in every file that diffusers saves.
var notJSON = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?\b(?:Infinity|NaN)\b`)

// ParseConfig reads a scheduler_config.json. New checks the values, since the class that is
// run decides which of them matter.
func ParseConfig(data []byte) (Config, error) {
	c := Config{}
	data = notJSON.ReplaceAllFunc(data, func(token []byte) []byte {
		if token[0] == '"' {
			return token
		}
		return fmt.Appendf(nil, "%q", token)
	})
	if err := json.Unmarshal(data, &c.raw); err != nil {
		return c, fmt.Errorf("scheduler_config.json is not a JSON object: %w", err)
	}
	if err := json.Unmarshal(c.raw["_class_name"], &c.class); err != nil {
		return c, fmt.Errorf("scheduler_config.json: _class_name, a string that names diffusers' scheduler, is missing")
	}
	if c.Name() == "" && !slices.Contains(compatible, c.class) {
		return c, fmt.Errorf("scheduler_config.json: _class_name is %q, which does not work with Stable Diffusion 1.5. Choose a model with one of %s", c.class, strings.Join(knownClasses(), ", "))
	}
	return c, nil
}

func knownClasses() []string {
	var list []string
	for _, s := range registered {
		list = append(list, s.Class)
	}
	slices.Sort(list)
	return append(slices.Compact(list), compatible...)
}

// Name is the name of the scheduler of the configuration's own class, the one whose
// arguments the configuration has; "" where the class is not run here.
func (c Config) Name() string {
	name, most := "", -1
	for _, s := range registered {
		if s.Class == c.class && c.has(s.Arguments) && len(s.Arguments) > most {
			name, most = s.Name, len(s.Arguments)
		}
	}
	return name
}

func (c Config) has(arguments map[string]json.RawMessage) bool {
	for field, value := range arguments {
		if string(c.raw[field]) != string(value) {
			return false
		}
	}
	return true
}

// fields are the file's fields as a scheduler's class receives them in a pipeline. The
// constructors of diffusers' Stable Diffusion pipelines set steps_offset to 1 and clip_sample
// to false in the model's own scheduler, whether or not its file has them. A scheduler of
// another class is then made by from_config(pipe.scheduler.config, **arguments), which takes
// the fields that the file has, so changed, and the class's defaults for the others.
func (c Config) fields(s Scheduler) *fields {
	f := &fields{raw: maps.Clone(c.raw)}
	own := s.Class == c.class
	if _, ok := f.raw["steps_offset"]; ok || own {
		f.raw["steps_offset"] = json.RawMessage("1")
	}
	if own || string(f.raw["clip_sample"]) == "true" {
		f.raw["clip_sample"] = json.RawMessage("false")
	}
	maps.Copy(f.raw, s.Arguments)
	return f
}
