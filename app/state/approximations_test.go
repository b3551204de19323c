package state

import "testing"

func TestApproximations(t *testing.T) {
	var c Composer
	check := func(what string, start, stop float64) {
		t.Helper()
		if s := c.Settings; s.GuidanceStart != start || s.GuidanceStop != stop {
			t.Errorf("%s: %g to %g, want %g to %g", what, s.GuidanceStart, s.GuidanceStop, start, stop)
		}
	}
	c.SetGuidanceStop(0.5)
	check("until 0.5", 0, 0.5)
	c.SetGuidanceStart(0.7)
	check("from 0.7", 0.7, 0.7)
	c.SetGuidanceStop(0.4)
	check("until 0.4", 0.4, 0.4)
	c.SetGuidanceStop(1)
	check("until the end", 0.4, 0)
	c.SetGuidanceStart(0)
	check("all steps", 0, 0)
	c.SetCacheInterval(3)
	if c.Settings.CacheInterval != 3 {
		t.Error("the interval is not taken")
	}
	c.SetCacheInterval(1)
	if c.Settings.CacheInterval != 0 {
		t.Error("an interval of 1 is not the default")
	}
}
