package settings

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/imprompt/imprompt/model/prompt"
	"github.com/imprompt/imprompt/model/scheduler"
)

// The text that AUTOMATIC1111's web UI writes into its pictures, and that many
// programs and sites read: the prompt, the negative prompt, and one line of
// parameters (modules/processing.py, create_infotext; modules/infotext_utils.py,
// parse_generation_parameters).

const negativePrefix = "Negative prompt:"

// ourVersion is what Format writes as the version.
const ourVersion = "imPrompt"

// Format writes settings as A1111 does. It leaves out what A1111 has no field for:
// IP-Adapters and pictures.
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
	if s.VAE != "" {
		if s.VAEHash != "" {
			add("VAE hash", s.VAEHash[:min(10, len(s.VAEHash))])
		}
		add("VAE", s.VAE)
	}
	if s.VariationStrength > 0 {
		add("Variation seed", strconv.FormatUint(s.VariationSeed, 10))
		add("Variation seed strength", decimal(s.VariationStrength))
	}
	switch {
	case s.InitImage != "":
		add("Denoising strength", decimal(s.Strength))
		if s.TileSize > 0 {
			add("SD upscale overlap", strconv.Itoa(s.TileOverlap))
			add("SD upscale upscaler", "Lanczos")
		}
	case s.Twice():
		add("Denoising strength", decimal(s.Second().Strength))
		add("Hires upscale", decimal(s.HiresScale))
		add("Hires steps", strconv.Itoa(s.secondSteps()))
		add("Hires upscaler", cmp.Or(s.HiresUpscaler, HiresUpscalers[0]))
	}
	var hashes []string
	for _, l := range s.LoRAs {
		if l.Hash != "" {
			hashes = append(hashes, l.Name()+": "+l.Hash[:min(12, len(l.Hash))])
		}
	}
	if hashes != nil {
		add("Lora hashes", strings.Join(hashes, ", "))
	}
	hashes = nil
	for _, file := range s.TextualInversions {
		if hash := s.TextualInversionHashes[file]; hash != "" {
			hashes = append(hashes, WeightsName(file)+": "+hash[:min(12, len(hash))])
		}
	}
	if hashes != nil {
		add("TI hashes", strings.Join(hashes, ", "))
	}
	if s.ClipSkip > 0 {
		add("Clip skip", strconv.Itoa(s.ClipSkip+1))
	}
	if s.TomeRatio > 0 {
		add("Token merging ratio", decimal(s.TomeRatio))
	}
	if s.Eta > 0 {
		add("Eta", decimal(s.Eta))
	}
	for _, unit := range s.Guides.units() {
		add(unit.key, unit.value)
	}
	add("RNG", rngNames[s.GeneratorDevice])
	add("Version", ourVersion)

	if !s.PromptWeights {
		// A1111 knows no literal prompts.
		s.Prompt, s.NegativePrompt = prompt.Escape(s.Prompt), prompt.Escape(s.NegativePrompt)
	}
	var b strings.Builder
	b.WriteString(s.Prompt)
	for _, l := range s.LoRAs {
		b.WriteString(" " + l.Tag())
	}
	if s.NegativePrompt != "" {
		b.WriteString("\n" + negativePrefix + " " + s.NegativePrompt)
	}
	b.WriteString("\n" + strings.Join(fields, ", "))
	return strings.TrimSpace(b.String())
}

// rngNames are A1111's names for what draws the noise. NV is the GPU's noise, drawn
// on a CPU. GPU itself is A1111's default, which it does not write.
var rngNames = map[string]string{"": "CPU", GeneratorCPU: "CPU", GeneratorGPU: "NV"}

// decimal writes a number with as few digits as identify it.
func decimal(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// quote puts a value in quotation marks if it could be taken for several values.
func quote(value string) string {
	if !strings.ContainsAny(value, ",\n:") && !strings.HasPrefix(strings.TrimSpace(value), "{") && !strings.HasPrefix(strings.TrimSpace(value), "[") {
		return value
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(value) // cannot fail on a string
	return strings.TrimSuffix(b.String(), "\n")
}

// Parse reads a text written by A1111, by this program or by another one: A1111's
// form, which Forge and Civitai also write, or the JSON of Fooocus, ComfyUI, SwarmUI
// or InvokeAI. Settings that the text does not mention have their defaults. Fields
// without a counterpart are listed in a *Partial, which comes with good settings.
func Parse(text string) (Settings, error) {
	s, n := Default(), &notes{}
	if len(text) > maxText {
		n.add("the text is longer than %d MB, and its end is not read", maxText>>20)
		text = text[:maxText]
	}
	text = strings.ToValidUTF8(strings.TrimPrefix(text, "\ufeff"), "\uFFFD")
	if !readJSON(text, &s, n) {
		readA1111(text, &s, n)
	}
	s.PromptWeights = true // as in all of these programs
	s.bound(n)
	return s, n.partial()
}

func readA1111(text string, s *Settings, n *notes) {
	words, parameters := splitText(shorten(text, n))
	s.Prompt, s.NegativePrompt = splitPrompts(words)
	p := parser{settings: s, notes: n}
	for _, f := range splitFields(parameters) {
		p.take(f.key, f.value)
	}
	p.finish()
}

// shorten removes the middle of a text that is longer than anybody's prompts. The
// parameters are at its end.
func shorten(text string, n *notes) string {
	if len(text) <= maxA1111 {
		return text
	}
	n.add("the text is longer than %d kB, and its middle is not read", maxA1111>>10)
	head, tail := text[:maxA1111*3/4], text[len(text)-maxA1111/4:]
	if _, last, ok := strings.Cut(tail, "\n"); ok {
		tail = last
	}
	return strings.ToValidUTF8(head, "") + "\n" + strings.ToValidUTF8(tail, "")
}

// splitText divides a text into the lines of the prompts and the parameters. As in
// A1111, the last line holds the parameters if it looks like parameters. Dynamic
// Prompts appends its templates, which say no more than the prompt does.
func splitText(text string) (words []string, parameters string) {
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")), "\n")
	last := len(lines) - 1
	if !isSteps(lines[last]) {
		for i := last; i > 0; i-- {
			line := strings.TrimSpace(lines[i])
			if isSteps(lines[i-1]) && (strings.HasPrefix(line, "Template:") || strings.HasPrefix(line, "Negative Template:")) {
				return lines[:i-1], lines[i-1]
			}
		}
	}
	if len(splitFields(lines[last])) >= 3 {
		// If a site has joined the lines, the words come before the parameters.
		if at := joined.FindStringIndex(lines[last]); at != nil {
			return append(lines[:last:last], lines[last][:at[0]]), strings.TrimSpace(lines[last][at[0]:])
		}
		return lines[:last], lines[last]
	}
	// A value contains line breaks.
	for i := last; i >= 0; i-- {
		if isSteps(lines[i]) {
			return lines[:i], strings.Join(lines[i:], "\n")
		}
	}
	return lines, ""
}

var joined = regexp.MustCompile(`\sSteps: \d+, `)

// isSteps reports whether a line is certainly a line of parameters.
func isSteps(line string) bool {
	rest, ok := strings.CutPrefix(strings.TrimSpace(line), "Steps: ")
	return ok && rest != "" && rest[0] >= '0' && rest[0] <= '9' && len(splitFields(line)) >= 3
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
