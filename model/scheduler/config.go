// Package scheduler turns diffusers' schedulers into tables of linear steps. Every one
// of them moves the sample by a sum of what is known, times numbers that are known
// before the run; so one GPU kernel, or Run here, executes them all.
package scheduler

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
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

// compatible are classes of whose configurations ours can be made, though they are not
// run themselves (KarrasDiffusionSchedulers in diffusers' scheduling_utils.py).
var compatible = []string{
	"DDPMScheduler", "LMSDiscreteScheduler", "HeunDiscreteScheduler", "DPMSolverSinglestepScheduler", "KDPM2DiscreteScheduler",
	"KDPM2AncestralDiscreteScheduler", "DEISMultistepScheduler", "DPMSolverSDEScheduler",
}

// Config is a scheduler_config.json. As in diffusers, a field that the file does not
// have takes the default of the class that is made from it.
type Config struct {
	class string
	raw   map[string]json.RawMessage
}

// notJSON are what Python writes for numbers that JSON does not have, between other
// tokens: DPM-Solver's lambda_min_clipped is -Infinity in every file that diffusers saves.
var notJSON = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?\b(?:Infinity|NaN)\b`)

// ParseConfig reads a scheduler_config.json. Values are checked by New, since the
// class that is run decides which of them matter.
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
		return c, fmt.Errorf("scheduler_config.json: _class_name is %q, which Stable Diffusion 1.5 does not go with; known: %s", c.class, strings.Join(knownClasses(), ", "))
	}
	return c, nil
}

func knownClasses() []string {
	list := slices.Sorted(maps.Values(classes))
	return append(slices.Compact(list), compatible...)
}

// Name is our name of the configuration's own class; "" where we do not run it.
func (c Config) Name() string {
	for _, n := range Names {
		if classes[n] == c.class {
			if n == "dpmpp_2m" && string(c.raw["use_karras_sigmas"]) == "true" {
				return "dpmpp_2m_karras"
			}
			return n
		}
	}
	return ""
}

// fields are the file's fields as a class is given them in a pipeline. The constructors
// of diffusers' Stable Diffusion pipelines set steps_offset to 1 and clip_sample to
// false in the scheduler of the model, whatever its file says or leaves out; a
// scheduler of another class is then made by its from_config(pipe.scheduler.config),
// which takes what the file said, so changed, and the class's defaults for the rest.
func (c Config) fields(class string) *fields {
	f := &fields{raw: maps.Clone(c.raw)}
	own := class == c.class
	if _, ok := f.raw["steps_offset"]; ok || own {
		f.raw["steps_offset"] = json.RawMessage("1")
	}
	if own || string(f.raw["clip_sample"]) == "true" {
		f.raw["clip_sample"] = json.RawMessage("false")
	}
	return f
}
