package state

import (
	"strings"
	"testing"
)

// What is said of a control is made of whole sentences, and is not in the terms of a program.
func TestHelp(t *testing.T) {
	for label, help := range Help {
		text := string(help)
		if !strings.HasSuffix(text, ".") || strings.Contains(text, "_") || strings.ToUpper(text[:1]) != text[:1] {
			t.Errorf("%s: %s", label, text)
		}
		if len(text) > 260 {
			t.Errorf("%s: %d letters are more than a glance takes in", label, len(text))
		}
	}
}
