package settings

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/imprompt/imprompt/model/scheduler"
)

// The text that AUTOMATIC1111's web UI writes into its pictures, and that many
// programs and sites read: the prompt, the negative prompt, and one line of
// parameters (modules/processing.py, create_infotext; modules/infotext_utils.py,
// parse_generation_parameters).

const negativePrefix = "Negative prompt:"

// Format writes settings as A1111 does. What A1111 has no words for (adapters,
// pictures) is not in it.
func (s Settings) Format() string {
	var fields []string
	add := func(key, value string) { fields = append(fields, key+": "+quote(value)) }

	add("Steps", strconv.Itoa(s.NumInferenceSteps))
	if known, ok := scheduler.Find(s.Scheduler); ok {
		add("Sampler", known.A1111)
	}
	add("CFG scale", decimal(s.GuidanceScale))
	add("Seed", strconv.FormatUint(s.Seed, 10))
	add("Size", fmt.Sprintf("%dx%d", s.Width, s.Height))
	if s.Model != "" {
		add("Model", s.Model)
	}
	if s.InitImage != "" {
		add("Denoising strength", decimal(s.Strength))
	}
	add("RNG", "CPU") // A1111's name for torch's generator on the CPU
	add("Version", "imPrompt")

	var b strings.Builder
	b.WriteString(s.Prompt)
	if s.NegativePrompt != "" {
		b.WriteString("\n" + negativePrefix + " " + s.NegativePrompt)
	}
	b.WriteString("\n" + strings.Join(fields, ", "))
	return strings.TrimSpace(b.String())
}

// decimal writes a number with as few digits as identify it.
func decimal(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// quote puts a value that would be taken for several in quotation marks.
func quote(value string) string {
	if !strings.ContainsAny(value, ",\n:") {
		return value
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(value) // cannot fail on a string
	return strings.TrimSuffix(b.String(), "\n")
}

func unquote(value string) string {
	var text string
	if strings.HasPrefix(value, `"`) && json.Unmarshal([]byte(value), &text) == nil {
		return text
	}
	return value
}

var (
	parameter = regexp.MustCompile(`\s*([\pL\pN_][\pL\pN_ \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)`)
	imageSize = regexp.MustCompile(`^(\d+)x(\d+)$`)
)

// Parse reads a text that A1111, this program or another wrote. What the text
// does not say has its default; what it says and there is no field for comes in
// a *Partial, beside good settings.
func Parse(text string) (Settings, error) {
	s := Default()
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")), "\n")
	last := len(lines) - 1
	var fields [][]string
	// The last line is one of parameters if it looks like it, as in A1111.
	if found := parameter.FindAllStringSubmatch(lines[last], -1); len(found) >= 3 {
		fields, lines = found, lines[:last]
	}
	s.Prompt, s.NegativePrompt = splitPrompts(lines)

	p := parser{settings: &s}
	for _, field := range fields {
		p.take(strings.TrimSpace(field[1]), unquote(strings.TrimSpace(field[2])))
	}
	p.takeSampler()
	if len(p.leftOut) > 0 {
		return s, &Partial{p.leftOut}
	}
	return s, nil
}

func splitPrompts(lines []string) (prompt, negative string) {
	var parts [2][]string
	at := 0
	for _, line := range lines {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, negativePrefix); ok {
			at, line = 1, strings.TrimSpace(rest)
		}
		if len(parts[at]) == 0 && line == "" {
			continue // A1111 drops empty lines at the beginning
		}
		parts[at] = append(parts[at], line)
	}
	return strings.Join(parts[0], "\n"), strings.Join(parts[1], "\n")
}

type parser struct {
	settings          *Settings
	sampler, schedule string
	leftOut           []string
}

func (p *parser) leave(format string, args ...any) {
	p.leftOut = append(p.leftOut, fmt.Sprintf(format, args...))
}

func (p *parser) take(key, value string) {
	s := p.settings
	switch key {
	case "Steps":
		p.integer(key, value, &s.NumInferenceSteps)
	case "Sampler":
		p.sampler = value
	case "Schedule type":
		p.schedule = value
	case "CFG scale":
		p.float(key, value, &s.GuidanceScale)
	case "Denoising strength":
		p.float(key, value, &s.Strength)
	case "Seed":
		seed, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			p.leave("Seed is %q, not a whole number from 0", value)
			return
		}
		s.Seed = seed
	case "Size":
		m := imageSize.FindStringSubmatch(value)
		if m == nil {
			p.leave("Size is %q, not a width and a height as in 512x512", value)
			return
		}
		p.integer("width", m[1], &s.Width)
		p.integer("height", m[2], &s.Height)
	case "Version", "Model hash", "VAE hash", "User":
		// They say where the picture comes from, not what it is made of.
	case "RNG":
		if value != "CPU" {
			p.leave("RNG is %q; the seed gives another picture here, where numbers are drawn as on the CPU", value)
		}
	case "Clip skip":
		if value != "1" {
			p.leave("Clip skip is %q; only 1 is supported", value)
		}
	case "Model":
		p.leave("Model is %q; choose it among the models", value)
	default:
		p.leave("%s (%s) has no counterpart", key, value)
	}
}

func (p *parser) takeSampler() {
	if p.sampler == "" {
		return
	}
	name, exact, ok := fromA1111(p.sampler, p.schedule)
	switch {
	case !ok:
		p.leave("Sampler %q is not among %s", p.sampler, strings.Join(scheduler.Names(), ", "))
	case !exact:
		p.leave("Sampler %q is taken over without its schedule type %q", p.sampler, p.schedule)
	}
	p.settings.Scheduler = name
}

func (p *parser) integer(key, value string, into *int) {
	n, err := strconv.Atoi(value)
	if err != nil {
		p.leave("%s is %q, not a whole number", key, value)
		return
	}
	*into = n
}

func (p *parser) float(key, value string, into *float64) {
	x, err := strconv.ParseFloat(value, 64)
	if err != nil || x != x {
		p.leave("%s is %q, not a number", key, value)
		return
	}
	*into = x
}
