package state

import (
	"strings"

	"github.com/imprompt/imprompt/app/texts"
)

// The labels of pictures in strips and grids. They are stored in English, with the pictures, and are translated when they
// are drawn.
var _ = []texts.Pattern{"%s of %s", "seed %s", "guidance %s", "variation %s", "clip skip %s", "eta %s", "strength %s", "structure %s", "LoRA %s"}

// LabelText is a label as it is drawn.
func LabelText(label string) string {
	parts := strings.Split(label, " · ")
	for i, p := range parts {
		parts[i] = texts.Translate(p)
	}
	return strings.Join(parts, " · ")
}
