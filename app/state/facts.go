package state

import (
	"fmt"
	"strings"

	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/model/scheduler"
)

// The places of what facts says.
const (
	factWeights = iota
	factModel
	factSeed
	factSize
	factSteps
	factScheduler
	factGuidance
	factWords
	factTime
	factCount
)

// facts says what a result was made from, each in its place; "" for what it has not.
func facts(r *Result) []string {
	s, list := r.Settings, make([]string, factCount)
	width, height := s.OutputSize()
	if w := weights(r); w != "" {
		list[factWeights] = weightLabel + w
	}
	chosen, _ := scheduler.Find(s.Scheduler)
	list[factModel], list[factScheduler], list[factWords] = ModelName(s.Model), chosen.Label, s.Prompt
	list[factSeed], list[factSteps] = texts.F("Seed %d", s.Seed), texts.N(s.NumInferenceSteps, "%d step", "%d steps")
	if s.VariationStrength > 0 {
		list[factSeed] += texts.F(", variation %d at %s", s.VariationSeed, texts.Trimmed(s.VariationStrength))
	}
	list[factSize], list[factGuidance] = fmt.Sprintf("%d × %d", width, height), texts.F("guidance %s", texts.Trimmed(s.GuidanceScale))
	if r.Cost.Seconds > 0 {
		list[factTime] = Seconds(r.Cost.Seconds)
	}
	return list
}

// these returns those of the facts that are not empty.
func these(facts []string, places ...int) (list []string) {
	for _, p := range places {
		if facts[p] != "" {
			list = append(list, facts[p])
		}
	}
	return list
}

// Facts are what the gallery says under a picture, besides its words: its weights, its model, how it was sampled, and how
// long that took.
func (r *Result) Facts() string {
	return strings.Join(these(facts(r), factWeights, factModel, factScheduler, factTime), " · ")
}

// weights returns the image weights of a result, as in "0.7, 0.3"; "" if it has no image prompts.
func weights(r *Result) string {
	var list []string
	for _, a := range r.Settings.IPAdapters() {
		list = append(list, texts.Trimmed(a.Lambda))
	}
	return strings.Join(list, ", ")
}
