package state

import (
	"strings"

	"github.com/imprompt/imprompt/app/texts"
)

// Preset is a list of words that many negative prompts have.
type Preset struct {
	Name  texts.Text
	Words string
}

// NegativePresets are those that are offered.
var NegativePresets = []Preset{
	{"Flaws of photographs", "blurry, out of focus, grainy, overexposed, low quality, jpeg artifacts"},
	{"Flaws of drawings", "sketch, unfinished, flat colors, messy lines, low quality"},
	{"Bodies and hands", "bad anatomy, deformed, extra limbs, extra fingers, bad hands, cross-eyed"},
	{"Text and marks", "text, watermark, signature, logo, caption, frame"},
	{"Drawings, for photographs", "drawing, painting, illustration, cartoon, 3d render"},
}

// Add returns a negative prompt with the preset's words behind it. Words that are there already are not said twice.
func (p Preset) Add(negative string) string {
	said := map[string]bool{}
	for word := range strings.SplitSeq(negative, ",") {
		said[strings.ToLower(strings.TrimSpace(word))] = true
	}
	list := strings.TrimRight(negative, ", \n")
	for word := range strings.SplitSeq(p.Words, ", ") {
		switch {
		case said[word]:
		case list == "":
			list = word
		default:
			list += ", " + word
		}
	}
	return list
}
