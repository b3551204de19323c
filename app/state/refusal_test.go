package state

import "testing"

func TestWithoutWebGPU(t *testing.T) {
	for _, c := range []struct {
		agent, title string
		secure       bool
	}{
		{"Chrome/130.0.0.0", "This address is not a secure one", false},
		{"Chrome/100.0.0.0 Safari/537.36", "This browser is too old", true},
		{"Chromium/130.0.0.0", "WebGPU is switched off in this browser", true},
		{"Gecko/20100101 Firefox/120.0", "This browser has no WebGPU", true},
	} {
		if got := WithoutWebGPU(c.agent, c.secure); got.Title != c.title || got.Text == "" {
			t.Errorf("%s: %+v", c.agent, got)
		}
	}
}
