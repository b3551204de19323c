package state

import (
	"testing"

	"github.com/imprompt/imprompt/app/texts"
)

func TestNegativePresets(t *testing.T) {
	p := Preset{"", "text, watermark, logo"}
	for before, want := range map[string]string{
		"":                "text, watermark, logo",
		"fog":             "fog, text, watermark, logo",
		"fog,":            "fog, text, watermark, logo",
		"Logo, (fog:1.2)": "Logo, (fog:1.2), text, watermark",
	} {
		got := p.Add(before)
		if got != want {
			t.Errorf("%q becomes %q, not %q", before, got, want)
		}
		if again := p.Add(got); again != got {
			t.Errorf("the second time, %q becomes %q", got, again)
		}
	}
	names := map[texts.Text]bool{}
	for _, p := range NegativePresets {
		if names[p.Name] || p.Add("") != p.Words {
			t.Errorf("%s is there twice, or repeats itself", p.Name)
		}
		names[p.Name] = true
	}
}
