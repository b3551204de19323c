package state

import "slices"

// History is what was asked for as words, the latest last. It is kept over visits.
type History struct {
	Prompts []string
	at      int    // of Prompts, while the visitor looks through them; 0 while not
	written string // what was typed before that
}

// maxHistory is how many prompts are kept.
const maxHistory = 100

// Asked adds a prompt that pictures were asked for with. One that is there already becomes the latest.
func (h *History) Asked(prompt string) {
	h.at = 0
	if prompt == "" {
		return
	}
	h.Prompts = slices.DeleteFunc(h.Prompts, func(p string) bool { return p == prompt })
	h.Prompts = append(h.Prompts, prompt)
	if n := len(h.Prompts); n > maxHistory {
		h.Prompts = h.Prompts[n-maxHistory:]
	}
}

// Earlier returns the prompt before the one that is shown, and Later the one after it, in the end what was typed. ok is
// false if there is none.
func (h *History) Earlier(shown string) (prompt string, ok bool) {
	if !h.looking(shown) {
		h.at, h.written = 0, shown
	}
	next := h.at + 1
	// What is shown need not be offered.
	for next <= len(h.Prompts) && h.latest(next) == shown {
		next++
	}
	if next > len(h.Prompts) {
		return "", false
	}
	h.at = next
	return h.latest(next), true
}

func (h *History) Later(shown string) (prompt string, ok bool) {
	if !h.looking(shown) {
		return "", false
	}
	if h.at--; h.at == 0 {
		return h.written, true
	}
	return h.latest(h.at), true
}

// Listed returns the prompts that are offered in a list, the latest first.
func (h *History) Listed() []string {
	const most = 30
	list := slices.Clone(h.Prompts[max(0, len(h.Prompts)-most):])
	slices.Reverse(list)
	return list
}

// Choose returns one of Listed, which takes the place of what is shown. That joins the list, so that it is not lost.
func (h *History) Choose(i int, shown string) (prompt string, ok bool) {
	list := h.Listed()
	if i < 0 || i >= len(list) {
		return "", false
	}
	if !slices.Contains(h.Prompts, shown) {
		h.Asked(shown)
	}
	return list[i], true
}

// latest returns the latest prompt for 1, the one before it for 2, and so on.
func (h *History) latest(n int) string { return h.Prompts[len(h.Prompts)-n] }

// looking reports whether the visitor looks through the prompts: what is shown is the prompt that at counts to, unchanged.
func (h *History) looking(shown string) bool { return h.at > 0 && shown == h.latest(h.at) }
