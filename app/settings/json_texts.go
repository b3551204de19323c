package settings

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// readJSON reads settings that another program wrote as a JSON object. It reports
// false if the text is not a JSON object.
func readJSON(text string, s *Settings, n *notes) bool {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") {
		return false
	}
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(comfyNumbers(text)), &object) != nil {
		return false
	}
	s.Foreign = true
	switch {
	case object["nodes"] != nil && object["links"] != nil:
		readComfyUI(workflowGraph(object), s, n)
	case isComfyUI(object):
		readComfyUI(promptGraph(object), s, n)
	case isComfyUI(inside(object["prompt"])): // as it is sent to ComfyUI
		readComfyUI(promptGraph(inside(object["prompt"])), s, n)
	case object["infotexts"] != nil: // an answer of A1111's API
		var list []string
		_ = json.Unmarshal(object["infotexts"], &list)
		readA1111(strings.Join(list[:min(len(list), 1)], ""), s, n)
	case object["sui_image_params"] != nil:
		readFlat(inside(object["sui_image_params"]), s, n)
	default:
		readFlat(object, s, n)
	}
	return true
}

// inside is an object within another, or nil.
func inside(raw json.RawMessage) (object map[string]json.RawMessage) {
	_ = json.Unmarshal(raw, &object)
	return object
}

// comfyNumbers replaces NaN and Infinity, which Python writes and JSON does not allow.
func comfyNumbers(text string) string {
	if !strings.Contains(text, "NaN") && !strings.Contains(text, "Infinity") {
		return text
	}
	return pythonNumber.ReplaceAllString(text, "${1}null$2")
}

var pythonNumber = regexp.MustCompile(`([:\[,]\s*)-?(?:NaN|Infinity)(\s*[,\]}])`)

// readFlat reads an object whose fields are settings, as Fooocus (in its log and in its
// pictures), SwarmUI and InvokeAI write it.
func readFlat(object map[string]json.RawMessage, s *Settings, n *notes) {
	p := parser{settings: s, notes: n, version: "ComfyUI"} // their noise is drawn on the CPU
	sampler, schedule := "", ""
	keys := make([]string, 0, len(object))
	for key := range object {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		value := plain(object[key])
		if oldLora.MatchString(key) { // Fooocus' log had a line for each LoRA: its name and weight
			name, scale, _ := strings.Cut(value, " : ")
			p.lora(loraOfTag(name, []string{scale}))
			continue
		}
		switch strings.ToLower(strings.NewReplacer(" ", "", "_", "", "-", "").Replace(key)) {
		case "prompt", "positiveprompt":
			s.Prompt = value
		case "negativeprompt":
			s.NegativePrompt = value
		case "steps":
			p.integer(key, value, &s.NumInferenceSteps)
		case "guidancescale", "cfgscale":
			p.float(key, value, &s.GuidanceScale)
		case "seed":
			p.seed(value)
		case "variationseed", "subseed": // SwarmUI's name, and that of A1111's API
			p.natural(key, value, &s.VariationSeed)
		case "variationseedstrength", "subseedstrength":
			p.float(key, value, &s.VariationStrength)
		case "width":
			p.integer(key, value, &s.Width)
		case "height":
			p.integer(key, value, &s.Height)
		case "resolution":
			if m := pair.FindStringSubmatch(value); m != nil {
				p.integer(key, m[1], &s.Width)
				p.integer(key, m[2], &s.Height)
			}
		case "sampler", "samplername":
			sampler = value
		case "scheduler":
			schedule = value
		case "basemodel", "model":
			p.model = modelName(object[key], value)
		case "loras":
			p.flatLoras(object[key])
		case "clipskip":
			p.clipSkip(value, 2) // Fooocus counts from 1, and 2 is its default
		case "styles":
			if value != "" && value != "[]" {
				p.others = append(p.others, field{"Styles", value})
			}
		case "performance", "sharpness", "refinermodel", "vae", "strength":
			if value != "" && value != "None" && !strings.HasPrefix(value, "Default") {
				p.others = append(p.others, field{key, value})
			}
		}
		// The rest says where a picture comes from, or repeats what is above: full
		// prompts, hashes, versions, names of programs.
	}
	p.words()
	p.noteModel()
	p.takeLoRAs()
	p.takeComfySampler(sampler, schedule)
	p.takeOthers()
}

var oldLora = regexp.MustCompile(`(?i)^lora \d+$`)

var pair = regexp.MustCompile(`(\d+)\D+(\d+)`)

// plain returns a JSON value as a person would write it.
func plain(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// modelName returns a model's name. InvokeAI keeps it in an object.
func modelName(raw json.RawMessage, value string) string {
	var object struct {
		Name      string
		ModelName string `json:"model_name"`
	}
	if json.Unmarshal(raw, &object) == nil && object.Name+object.ModelName != "" {
		return object.Name + object.ModelName
	}
	return value
}

// flatLoras reads Fooocus' list of [name, weight, hash], or InvokeAI's objects.
func (p *parser) flatLoras(raw json.RawMessage) {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return
	}
	for _, l := range list {
		var row []any
		var object struct {
			Model, Lora struct {
				Name      string
				ModelName string `json:"model_name"`
			}
			Weight *float64
		}
		switch {
		case json.Unmarshal(l, &row) == nil && len(row) > 0:
			l := LoRA{Weights: fmt.Sprint(row[0]), Scale: 1}
			if len(row) > 1 {
				if v, ok := row[1].(float64); ok {
					l.Scale = v
				}
			}
			p.lora(l)
		case json.Unmarshal(l, &object) == nil:
			l := LoRA{Weights: object.Model.Name + object.Lora.ModelName, Scale: 1}
			if object.Weight != nil {
				l.Scale = *object.Weight
			}
			p.lora(l)
		default:
			p.lora(LoRA{Weights: plain(l), Scale: 1})
		}
	}
}

func (p *parser) clipSkip(value string, usual int) {
	if n, err := strconv.Atoi(value); err == nil && n > 1 && n != usual {
		p.notes.add("Clip skip is %q (set it by hand)", value)
	}
}

// comfySamplers maps ComfyUI's names, some of which Fooocus and InvokeAI share, to
// A1111's.
var comfySamplers = map[string]string{
	"euler": "Euler", "euler_ancestral": "Euler a", "euler_a": "Euler a", "dpmpp_2m": "DPM++ 2M", "dpmpp_2m_k": "DPM++ 2M Karras",
	"ddim": "DDIM", "uni_pc": "UniPC", "uni_pc_bh2": "UniPC", "unipc": "UniPC", "lcm": "LCM", "plms": "PLMS", "pndm": "PLMS",
}

// takeComfySampler sets the scheduler from ComfyUI's sampler and schedule. InvokeAI has
// one name for both, which it writes as the scheduler.
func (p *parser) takeComfySampler(sampler, schedule string) {
	if sampler == "" {
		sampler, schedule = schedule, ""
	}
	name := strings.TrimSuffix(strings.ToLower(sampler), "_gpu")
	if a, ok := comfySamplers[name]; ok {
		p.sampler = a
	} else {
		p.sampler = sampler
	}
	switch strings.ToLower(schedule) {
	case "normal", "simple", "ddim_uniform", "sgm_uniform":
	default:
		p.schedule = schedule
	}
	p.takeSampler()
}
