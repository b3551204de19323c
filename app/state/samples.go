package state

import (
	"github.com/imprompt/imprompt/app/texts"
)

// Sample is a picture that ships, to begin with, and where to put what it shows.
type Sample struct {
	File  string
	Title texts.Text
	words string     // that go with the picture; models know English only
	offer texts.Text // what is made of the picture
}

// Samples are all that ship. The first three are offered on the empty stage.
var Samples = []Sample{
	{"fox.png", "Fox", "fox on a yellow background", "This fox, on a yellow background"},
	{"cactus.png", "Cactus", "cactus on a pink background", "This cactus, on a pink background"},
	{"strawberry.png", "Strawberry", "strawberry on a blue background", "This strawberry, on a blue background"},
	{"octopus.png", "Octopus", "octopus on a white background", "This octopus, on a white background"},
	{"crescent-moon.png", "Moon", "crescent moon on a black background", "This moon, on a black background"},
	{"sunflower.png", "Sunflower", "sunflower on a teal background", "This sunflower, on a teal background"},
}

// Prompt returns the words that go with the picture. They name the thing as well: told of a background alone, the
// model that ships keeps a picture's colours and loses its shape (model/train/README.md).
func (s Sample) Prompt() string { return s.words }

// Offer says what is made of the picture.
func (s Sample) Offer() string { return s.offer.String() }

// Try takes a sample's words and takes all pictures away. The sample's picture itself is then added as any other. If
// something was composed, it returns the step that brings it back, or else nil.
func (c *Composer) Try(s Sample, u *Undo) *Step {
	var step *Step
	if !c.Empty() {
		step = c.Replacing(u, nil)
	}
	c.Clear()
	c.Settings.Prompt = s.Prompt()
	return step
}
