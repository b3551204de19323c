package state

import (
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
)

// Files of weights that the page has no choice of are named, and not asked for again.
func TestRestoreNamesOtherWeights(t *testing.T) {
	s := settings.Default()
	s.VAE, s.TextualInversions = "mse.safetensors", []string{"easy.safetensors"}
	c := NewComposer()
	note := c.RestoreFile("a.png", s, nil)
	if c.Settings.VAE != "" || c.Settings.TextualInversions != nil {
		t.Errorf("the settings have %q and %q", c.Settings.VAE, c.Settings.TextualInversions)
	}
	for _, want := range []string{"mse.safetensors", "easy.safetensors"} {
		if !strings.Contains(note, want) {
			t.Errorf("%s is not named in %q", want, note)
		}
	}
}
