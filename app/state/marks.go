package state

import "github.com/imprompt/imprompt/model/prompt"

// MarkClass is the style in which a piece of a prompt is marked while it is typed; "" is for
// words of the usual weight.
func MarkClass(m prompt.Mark) string {
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
