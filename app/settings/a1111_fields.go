package settings

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/imprompt/imprompt/model/scheduler"
)

// field is one of A1111's parameters.
type field struct{ key, value string }

var imageSize = regexp.MustCompile(`^(\d+)\s*[xX×]\s*(\d+)$`)

// splitFields splits a line of parameters: "key: value", separated by commas. A value
// may be a JSON string, object or list that contains commas and colons. A piece
// without a key belongs to the value before it.
func splitFields(line string) (fields []field) {
	for line != "" && len(fields) < maxFields {
		key, behind, ok := cutKey(line)
		if !ok {
			piece, rest, _ := strings.Cut(line, ",")
			if n := len(fields); n > 0 && strings.TrimSpace(piece) != "" {
				fields[n-1].value += "," + piece
			}
			line = rest
			continue
		}
		value, rest := splitValue(behind)
		fields = append(fields, field{key, value})
		line = rest
	}
	for i := range fields {
		fields[i].value = strings.TrimSpace(fields[i].value)
	}
	return fields
}

// cutKey takes a key off the beginning of a line: words of letters, digits and a few
// signs, followed by a colon that is not part of a link's "://".
func cutKey(line string) (key, behind string, ok bool) {
	const longest = 100
	at := strings.IndexAny(line[:min(len(line), longest)], ":,")
	if at < 0 || line[at] == ',' || strings.HasPrefix(line[at+1:], "//") {
		return "", "", false
	}
	key = strings.TrimSpace(line[:at])
	for i, r := range key {
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsNumber(r) && (i == 0 || !strings.ContainsRune(" -/.()+", r)) {
			return "", "", false
		}
	}
	return key, line[at+1:], key != ""
}

// splitValue takes a value off the beginning of a line, and the comma after it.
func splitValue(line string) (value, rest string) {
	start := strings.TrimLeft(line, " \t")
	if start != "" && strings.ContainsRune(`"{[`, rune(start[0])) {
		d := json.NewDecoder(strings.NewReader(start))
		var raw json.RawMessage
		if d.Decode(&raw) == nil {
			behind := strings.TrimLeft(start[d.InputOffset():], " \t")
			if after, ok := strings.CutPrefix(behind, ","); ok || behind == "" {
				var text string
				if json.Unmarshal(raw, &text) == nil {
					return text, after
				}
				return string(raw), after
			}
		}
	}
	value, rest, _ = strings.Cut(line, ",")
	return value, rest
}

// parser reads A1111's parameters one by one.
type parser struct {
	settings          *Settings
	notes             *notes
	sampler, schedule string
	model             string
	rng, version      string
	seeded, civitai   bool
	loras             []LoRA
	hashes            map[string]string // of LoRAs, by name
	strength          string            // kept until the end, because it may be the hires pass's
	others            []field           // without a counterpart
}

func (p *parser) take(key, value string) {
	s := p.settings
	switch strings.ToLower(key) {
	case "steps":
		p.integer(key, value, &s.NumInferenceSteps)
	case "sampler":
		p.sampler = value
	case "schedule type":
		p.schedule = value
	case "cfg scale":
		p.float(key, value, &s.GuidanceScale)
	case "denoising strength":
		p.strength = value
	case "seed":
		p.seed(value)
	case "variation seed":
		p.natural(key, value, &s.VariationSeed)
	case "variation seed strength":
		p.float(key, value, &s.VariationStrength)
	case "size":
		m := imageSize.FindStringSubmatch(value)
		if m == nil {
			p.notes.add("Size is %q, not a width and a height as in 512x512", value)
			return
		}
		p.integer("width", m[1], &s.Width)
		p.integer("height", m[2], &s.Height)
	case "width":
		p.integer(key, value, &s.Width)
	case "height":
		p.integer(key, value, &s.Height)
	case "rng":
		p.rng = value
	case "version":
		p.version = value
	case "model":
		p.model = value
	case "clip skip":
		n := 1
		p.integer(key, value, &n)
		s.ClipSkip = max(n-1, 0)
	case "token merging ratio":
		p.float(key, value, &s.TomeRatio)
		if s.TomeRatio > MaxTomeRatio {
			p.notes.add("%s is %s, and is used as %g, the most that can be merged", key, value, MaxTomeRatio)
			s.TomeRatio = MaxTomeRatio
		}
	case "eta", "eta ddim":
		p.float(key, value, &s.Eta)
	case "lora hashes":
		p.hashes = map[string]string{}
		for _, f := range splitFields(value) {
			p.hashes[f.key] = f.value
		}
	case "ti hashes":
		for _, f := range splitFields(value) {
			p.textualInversion(f.key, f.value)
		}
	case "vae":
		p.vae(value)
	case "vae hash":
		if hexadecimal.MatchString(value) {
			s.VAEHash = strings.ToLower(value)
		}
	case "civitai resources":
		p.resources(value)
	case "model hash", "hashes", "user", "created date", "civitai metadata",
		"batch size", "batch pos", "template", "negative template", "workflow", "quantity", "draft":
		// These say where the picture comes from, not how it was made.
		p.civitai = p.civitai || strings.EqualFold(key, "civitai metadata")
	default:
		if !unitKey.MatchString(key) || !p.unit(key, value) {
			p.others = append(p.others, field{key, value})
		}
	}
}

func (p *parser) seed(value string) {
	if p.natural("Seed", value, &p.settings.Seed) {
		p.seeded = true
	}
}

// natural reads a whole number of at least 0, and reports whether it is one.
func (p *parser) natural(key, value string, into *uint64) bool {
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		p.notes.add("%s is %q, not a whole number of at least 0", key, value)
		return false
	}
	*into = n
	return true
}

// lora takes a LoRA, once.
func (p *parser) lora(l LoRA) {
	l.Weights = strings.Join(strings.Fields(tagSigns.Replace(WeightsName(l.Weights))), " ")
	if l.Weights != "" && !slices.ContainsFunc(p.loras, func(o LoRA) bool { return o.Weights == l.Weights }) {
		p.loras = append(p.loras, l)
	}
}

// tagSigns are what no name in a tag has.
var tagSigns = strings.NewReplacer(":", " ", "<", "", ">", "")

// vae takes the VAE, unless it is the model's own.
func (p *parser) vae(name string) {
	if !strings.EqualFold(name, "automatic") && !strings.EqualFold(name, "none") {
		p.settings.VAE = name
	}
}

var hexadecimal = regexp.MustCompile(`^[0-9a-fA-F]{8,64}$`)

// takeLoRAs keeps the LoRAs with their hashes, and notes those of which only the hashes are there.
func (p *parser) takeLoRAs() {
	for i := range p.loras {
		l := &p.loras[i]
		if h := p.hashes[l.Weights]; hexadecimal.MatchString(h) {
			l.Hash = strings.ToLower(h)
		}
		delete(p.hashes, l.Weights)
	}
	p.settings.LoRAs = p.loras
	if names := slices.Sorted(maps.Keys(p.hashes)); len(names) > 0 {
		p.notes.add("LoRA: %s", strings.Join(names, ", "))
	}
}

// textualInversion takes an embedding that the prompts used, once.
func (p *parser) textualInversion(name, hash string) {
	s := p.settings
	if name == "" || slices.Contains(s.TextualInversions, name) {
		return
	}
	s.TextualInversions = append(s.TextualInversions, name)
	if hexadecimal.MatchString(hash) {
		if s.TextualInversionHashes == nil {
			s.TextualInversionHashes = map[string]string{}
		}
		s.TextualInversionHashes[name] = strings.ToLower(hash)
	}
}

// resources reads Civitai's list of models.
func (p *parser) resources(value string) {
	p.civitai = true
	var list []struct {
		Type, ModelName string
		Weight          *float64
	}
	if json.Unmarshal([]byte(value), &list) != nil {
		return
	}
	for _, r := range list {
		switch strings.ToLower(r.Type) {
		case "checkpoint", "model":
			if p.model == "" {
				p.model = r.ModelName
			}
		case "lora", "locon", "lycoris", "dora":
			l := LoRA{Weights: r.ModelName, Scale: 1}
			if r.Weight != nil {
				l.Scale = *r.Weight
			}
			p.lora(l)
		case "vae":
			p.vae(r.ModelName)
		case "embed", "embedding", "textualinversion":
			p.textualInversion(r.ModelName, "")
		default:
			p.others = append(p.others, field{r.Type, r.ModelName})
		}
	}
}

// finish handles what depends on several fields.
func (p *parser) finish() {
	if p.settings.VAE == "" {
		p.settings.VAEHash = "" // that of the model's own
	}
	ours := p.version == ourVersion
	p.settings.Foreign = !ours
	p.words()
	if ours {
		p.settings.Model = p.model
	} else {
		p.noteModel()
	}
	p.takeLoRAs()
	p.takeSampler()
	p.takeStrength()
	p.takeRNG(ours)
	p.takeOthers()
}

// noteModel notes the model of another program, whose name is not that of a model here.
func (p *parser) noteModel() {
	if p.model != "" {
		p.notes.add("Model is %q (choose it under Models)", p.model)
	}
}

// words takes the tags that choose other models out of the prompts. In A1111 only the tags of the prompt have an effect.
func (p *parser) words() {
	for i, text := range []*string{&p.settings.Prompt, &p.settings.NegativePrompt} {
		words, loras, others := CutLoRAs(*text)
		*text = words
		for _, l := range loras {
			if i == 0 {
				p.lora(l)
			} else {
				p.notes.add("LoRA in the negative prompt, where it has no effect: %s", l.Weights)
				delete(p.hashes, l.Weights)
			}
		}
		for _, name := range others {
			p.others = append(p.others, field{"Hypernetwork", name})
		}
	}
}

func (p *parser) takeSampler() {
	if p.sampler == "" || strings.EqualFold(p.sampler, "undefined") {
		return
	}
	name, exact, ok := fromA1111(p.sampler, p.schedule)
	switch {
	case !ok:
		p.notes.add("Sampler %q is not among %s", brief(p.sampler, 24), strings.Join(scheduler.Names(), ", "))
	case !exact:
		p.notes.add("Sampler %q is used without its schedule type %q", p.sampler, p.schedule)
	}
	p.settings.Scheduler = name
}

// takeHires takes the second pass, if its latents were enlarged in a way that is known here. Another upscaler is a network
// of its own, and its low strength would leave enlarged latents blurred.
func (p *parser) takeHires() bool {
	found := map[string]string{}
	for _, f := range p.others {
		found[strings.ToLower(f.key)] = f.value
	}
	upscaler := strings.Replace(found["hires upscaler"], "Latent (antialiased)", HiresUpscalers[0], 1) // which is the same where it enlarges
	scale, err := strconv.ParseFloat(found["hires upscale"], 64)
	if err != nil || !(scale > 1 && scale <= 4) || !slices.Contains(HiresUpscalers, upscaler) {
		return false
	}
	s := p.settings
	s.HiresScale, s.HiresUpscaler = scale, upscaler
	if upscaler == HiresUpscalers[0] {
		s.HiresUpscaler = ""
	}
	if p.strength != "" {
		p.float("Denoising strength", p.strength, &s.HiresStrength)
	}
	steps := s.NumInferenceSteps // as A1111 does without a number
	if text := found["hires steps"]; text != "" {
		p.integer("Hires steps", text, &steps)
	}
	s.setSecondSteps(max(steps, 1))
	p.others = slices.DeleteFunc(p.others, func(f field) bool {
		return slices.Contains([]string{"hires upscale", "hires upscaler", "hires steps"}, strings.ToLower(f.key))
	})
	return true
}

// takeStrength sets the strength, unless it is that of a hires pass.
func (p *parser) takeStrength() {
	if p.takeHires() {
		return
	}
	hires := slices.ContainsFunc(p.others, func(f field) bool { return strings.HasPrefix(f.key, "Hires ") })
	switch {
	case p.strength == "":
	case hires:
		p.others = append(p.others, field{"Hires denoising strength", p.strength})
	default:
		p.float("Denoising strength", p.strength, &p.settings.Strength)
	}
}

// takeRNG finds out what drew the noise. A1111 and Forge do not write their default,
// which is the GPU. The noise of Civitai, Fooocus and Imprompt is drawn on the CPU.
func (p *parser) takeRNG(ours bool) {
	switch strings.ToUpper(p.rng) {
	case "CPU":
	case "GPU", "NV":
		p.settings.GeneratorDevice = GeneratorGPU
	case "":
		elsewhere := ours || p.civitai || strings.HasPrefix(p.version, "Fooocus") || strings.HasPrefix(p.version, "ComfyUI")
		if p.seeded && !elsewhere {
			p.settings.GeneratorDevice = GeneratorGPU
		}
	default:
		p.notes.add("RNG is %q, which is unknown (the seed gives a different picture here)", p.rng)
	}
}

// takeOthers lists the fields that have no counterpart. Extensions write many fields
// that begin with the same word. Those are listed together.
func (p *parser) takeOthers() {
	var groups []string
	members := map[string][]field{}
	for _, f := range p.others {
		group, _, _ := strings.Cut(f.key, " ")
		if members[group] == nil {
			groups = append(groups, group)
		}
		members[group] = append(members[group], f)
	}
	for _, g := range groups {
		list := members[g]
		if len(list) == 1 {
			p.notes.add("%s (%s)", list[0].key, list[0].value)
			continue
		}
		var parts []string
		for _, f := range list[:min(len(list), 8)] {
			parts = append(parts, strings.TrimSpace(strings.TrimPrefix(f.key, g))+" "+brief(f.value, 24))
		}
		p.notes.add("%s (%s)", g, strings.Join(parts, ", "))
	}
}

func (p *parser) integer(key, value string, into *int) {
	n, err := strconv.Atoi(value)
	if err != nil {
		p.notes.add("%s is %q, not a whole number", key, value)
		return
	}
	*into = n
}

func (p *parser) float(key, value string, into *float64) {
	x, err := strconv.ParseFloat(value, 64)
	if err != nil || x != x {
		p.notes.add("%s is %q, not a number", key, value)
		return
	}
	*into = x
}
