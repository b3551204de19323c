package state

import (
	"strings"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/model/prompt"
)

// Marked is a piece of a prompt as it is typed, and the style in which it is marked; "" is for plain words.
type Marked struct{ Text, Class string }

// Mark cuts a prompt into pieces that are marked alike. It marks what weighs more or less, if weights says that the
// prompt is read with markup, the names of embeddings, and the tags of LoRAs, with "gone" for those that are not here.
func (c *Chooser) Mark(text string, weights bool) (list []Marked) {
	if len(text) > settings.MaxWords {
		return nil
	}
	classes := make([]string, len(text)) // of each byte
	mark := func(from, to int, class string) {
		for i := from; i < to && class != ""; i++ {
			classes[i] = strings.TrimSpace(classes[i] + " " + class)
		}
	}
	if weights {
		at := 0
		for _, m := range prompt.Marks(text) {
			mark(at, at+len(m.Text), weightClass(m))
			at += len(m.Text)
		}
	}
	for _, t := range settings.FindTags(text) {
		class := "name"
		if _, ok := c.FindLoRA(t.LoRA); !ok {
			class = "gone"
		}
		mark(t.From, t.To, class)
	}
	for _, e := range c.Embeddings() {
		for _, u := range prompt.Find(text, weights, e.names()) {
			mark(u.From, u.To, "name")
		}
	}
	from := 0
	for i := range classes {
		if i+1 == len(classes) || classes[i+1] != classes[i] {
			list = append(list, Marked{text[from : i+1], classes[i]})
			from = i + 1
		}
	}
	return list
}

func weightClass(m prompt.Mark) string {
	switch {
	case m.Break:
		return "break"
	case m.Weight >= 1.25:
		return "up much"
	case m.Weight > 1:
		return "up"
	case m.Weight <= 0.8:
		return "down much"
	case m.Weight < 1:
		return "down"
	}
	return ""
}
