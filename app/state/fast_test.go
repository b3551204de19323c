package state

import "testing"

func TestGoFast(t *testing.T) {
	c := NewComposer()
	s := &c.Settings
	s.NumInferenceSteps, s.GuidanceScale = 30, 7.5
	f := Fast{LoRA: "x", Steps: 6, Scheduler: "lcm", Guidance: 1.5}
	if got := c.Saves(f); got != 5 {
		t.Errorf("it saves %g times, want 5", got)
	}
	c.GoFast(f)
	c.GoFast(f)
	if len(s.LoRAs) != 1 || s.LoRAs[0].Weights != "x" || s.Scheduler != "lcm" || s.NumInferenceSteps != 6 || s.GuidanceScale != 1.5 {
		t.Errorf("the settings are %+v", *s)
	}
	if got := c.Saves(f); got != 1 {
		t.Errorf("it saves %g times, want 1", got)
	}
}
