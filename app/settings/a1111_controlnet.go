package settings

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// sd-webui-controlnet writes a field "ControlNet 0", "ControlNet 1" and so on for each of its
// units, whose value is a list of fields itself (ControlNetUnit.serialize in
// internal_controlnet/args.py). A unit's model may also be a T2I-Adapter.

// controlModes are sd-webui-controlnet's names for the balances. Guess mode is what it once
// wrote for the last two together.
var controlModes = map[string]string{BalanceEven: "Balanced", BalancePrompt: "My prompt is more important", BalanceControl: "ControlNet is more important",
	BalanceGuess: "ControlNet is more important"}

// units writes the guides that sd-webui-controlnet has units for.
func (l Guides) units() (fields []field) {
	add := func(module, model string, weight, start, end float64, balance string) {
		value := fmt.Sprintf("%s, Model: %s, Weight: %s, Resize Mode: Just Resize, Guidance Start: %s, Guidance End: %s, Pixel Perfect: False, Control Mode: %s",
			module, strings.ReplaceAll(model, ",", " "), decimal(weight), decimal(start), decimal(end), controlModes[balance])
		fields = append(fields, field{fmt.Sprintf("ControlNet %d", len(fields)), value})
	}
	for _, g := range l {
		switch g := g.(type) {
		case *ControlNet:
			add(module(g.Preprocessor), PublicName(g.Weights), g.Lambda, g.Start, g.End, g.Balance)
		case *T2IAdapter:
			add(module(g.Preprocessor), PublicName(g.Weights), g.Lambda, g.Start, g.End, BalanceEven)
		case *Reference:
			add(g.module(), "None", 1, 0, 1, BalanceEven)
		}
	}
	return fields
}

var (
	unitKey   = regexp.MustCompile(`(?i)^controlnet( \d+)?$`)
	modelHash = regexp.MustCompile(`\s*\[[0-9a-fA-F]+\]$`)
)

// unit reads a unit as a guide without a map, because the file has none. ok is false for what
// is neither a ControlNet's unit, nor a T2I-Adapter's, nor a reference picture's.
func (p *parser) unit(key, value string) (ok bool) {
	c := DefaultControlNet()
	model, module, numbers := "", "", map[string]float64{}
	for _, f := range splitFields(value) {
		number := func(into *float64) {
			if x, err := strconv.ParseFloat(f.value, 64); err == nil && x == x {
				*into = x
			}
		}
		switch strings.ToLower(f.key) {
		case "model":
			model = modelHash.ReplaceAllString(f.value, "")
		case "module", "preprocessor":
			module = f.value
		case "weight":
			number(&c.Lambda)
		case "guidance start":
			number(&c.Start)
		case "guidance end":
			number(&c.End)
		case "threshold a", "threshold b":
			var v float64
			number(&v)
			numbers[strings.ToLower(f.key)] = v
		case "control mode":
			for _, balance := range Balances[:3] {
				if strings.EqualFold(f.value, controlModes[balance]) {
					c.Balance = balance
				}
			}
		}
	}
	if r, ok := readReference(module, numbers); ok {
		p.settings.Guides = append(p.settings.Guides, &r)
		p.notes.add("%s has a reference picture, which the file does not contain", key)
		return true
	}
	preprocessor := readModule(module, numbers)
	lower := strings.ToLower(model)
	switch {
	case strings.Contains(lower, "t2iadapter") || strings.Contains(lower, "t2i-adapter"):
		p.settings.Guides = append(p.settings.Guides, &T2IAdapter{Weights: model, Lambda: c.Lambda, Start: c.Start, End: c.End, Preprocessor: preprocessor})
	case strings.HasPrefix(lower, "control"):
		c.Weights, c.Preprocessor = model, preprocessor
		p.settings.Guides = append(p.settings.Guides, &c)
	default:
		return false
	}
	if module != "" && !strings.EqualFold(module, "none") {
		p.notes.add("%s made its map with the preprocessor %s, and the file does not contain the map", key, brief(module, 40))
	}
	return true
}
