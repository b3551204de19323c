package settings

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits for what is read from a picture or from pasted text. A file may hold
// megabytes in any of its fields.
const (
	MaxWords   = 64 << 10  // bytes of a prompt; the page accepts this many characters
	maxA1111   = 256 << 10 // bytes of a text in A1111's form
	maxFields  = 1000      // of its parameters
	maxName    = 1 << 10   // bytes of a model's or a picture's name
	maxNotes   = 12        // things that are listed as left out
	maxNote    = 160       // characters of each
	maxPrompts = 1000      // guides, and pictures of each
)

// notes collects what could not be used. Each thing is listed once and briefly, and a
// long list is cut.
type notes struct {
	list []string
	more int // how many were left out of the list
	seen map[string]bool
}

func (n *notes) add(format string, args ...any) {
	note := brief(fmt.Sprintf(format, args...), maxNote)
	switch {
	case n.seen[note]:
		return
	case len(n.list) == maxNotes:
		n.more++
	default:
		n.list = append(n.list, note)
	}
	if n.seen == nil {
		n.seen = map[string]bool{}
	}
	n.seen[note] = true
}

// partial is the error for what was noted, or nil.
func (n *notes) partial() error {
	list := n.list
	if n.more > 0 {
		list = append(list, fmt.Sprintf("and %d more", n.more))
	}
	if len(list) == 0 {
		return nil
	}
	return &Partial{list}
}

// brief cuts a text to at most n characters, on one line.
func brief(text string, most int) string {
	text = text[:min(len(text), 8*most)]
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "\uFFFD")), " ")
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// bound cuts whatever is too long to have been written by a person.
func (s *Settings) bound(n *notes) {
	words := func(what string, text *string) {
		if len(*text) > MaxWords {
			n.add("%s is longer than %d kB, and is cut off there", what, MaxWords>>10)
			*text = strings.ToValidUTF8((*text)[:MaxWords], "")
		}
	}
	words("the prompt", &s.Prompt)
	words("the negative prompt", &s.NegativePrompt)
	name := func(text *string) {
		if len(*text) > maxName {
			n.add("a name is longer than %d bytes, and is left out", maxName)
			*text = ""
		}
	}
	for _, text := range []*string{&s.Model, &s.VAE, &s.VAEHash, &s.PreviewVAE, &s.InitImage, &s.Mask, &s.Scheduler} {
		name(text)
	}
	if len(s.LoRAs) > maxLoRAs {
		n.add("there are %d LoRAs, of which %d are used", len(s.LoRAs), maxLoRAs)
		s.LoRAs = s.LoRAs[:maxLoRAs]
	}
	for i := range s.LoRAs {
		name(&s.LoRAs[i].Weights)
		name(&s.LoRAs[i].Hash)
	}
	if len(s.TextualInversions) > maxPrompts {
		n.add("there are %d textual inversions, of which %d are used", len(s.TextualInversions), maxPrompts)
		s.TextualInversions = s.TextualInversions[:maxPrompts]
	}
	for i := range s.TextualInversions {
		name(&s.TextualInversions[i])
	}
	for file, hash := range s.TextualInversionHashes {
		if len(hash) > maxName || !slices.Contains(s.TextualInversions, file) {
			delete(s.TextualInversionHashes, file)
		}
	}
	if len(s.Guides) > maxPrompts {
		n.add("there are %d guides, of which %d are used", len(s.Guides), maxPrompts)
		s.Guides = s.Guides[:maxPrompts]
	}
	for _, g := range s.Guides {
		g.bound(n)
		for _, text := range g.names() {
			name(text)
		}
	}
}
