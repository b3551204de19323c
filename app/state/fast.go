package state

import "strings"

// Fast is what draws a picture in few steps: a LoRA, and the settings that it was distilled for.
type Fast struct {
	Fits      bool   // whether it is for the chosen model
	LoRA      string // its ID; "" where it is not here yet
	Steps     int
	Scheduler string
	Guidance  float64
}

// fastName is what the name of LCM-LoRA's file or record contains (Luo et al. 2023, arXiv 2311.05556).
const fastName = "lcm"

// Fast is the preset for few steps.
func (c *Chooser) Fast() Fast {
	f := Fast{Fits: c.Chosen.ID != "", Steps: 6, Scheduler: "lcm", Guidance: 1.5}
	for _, l := range c.LoRAs() {
		if f.Fits && strings.Contains(strings.ToLower(l.Name+" "+l.Title+" "+l.ID), fastName) {
			f.LoRA = l.ID
			break
		}
	}
	return f
}

// GoFast sets what the preset says.
func (c *Composer) GoFast(f Fast) {
	c.AddLoRA(f.LoRA)
	s := &c.Settings
	s.Scheduler, s.NumInferenceSteps, s.GuidanceScale = f.Scheduler, f.Steps, f.Guidance
}

// Saves is how many times faster a picture is with the preset than with the settings as they are, by
// the number of times that the UNet runs.
func (c *Composer) Saves(f Fast) float64 {
	return runs(c.Settings.NumInferenceSteps, c.Settings.GuidanceScale) / runs(f.Steps, f.Guidance)
}

func runs(steps int, guidance float64) float64 {
	if guidance > 1 {
		return float64(2 * steps)
	}
	return float64(steps)
}
