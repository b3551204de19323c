package state

import (
	"fmt"
	"slices"
	"strings"
)

// Search says which results of the gallery are listed.
type Search struct {
	Words   string // a result has all of these, and none that begins with a minus
	Starred bool   // only results with a star
}

// Search returns what the visitor is looking for.
func (g *Gallery) Search() Search { return g.search }

// SetSearch lists other results. What is selected and not listed any more is not selected any more.
func (g *Gallery) SetSearch(s Search) {
	if s == g.search {
		return
	}
	g.search = s
	g.changed()
	for r := range g.picked {
		if !s.finds(r) {
			delete(g.picked, r)
		}
	}
	g.active, g.anchor = nil, nil
}

// Listed returns the results that the search finds, the latest first. The list is never changed in place.
func (g *Gallery) Listed() []*Result {
	if g.search == (Search{}) {
		return g.Results
	}
	if g.listed == nil {
		words := strings.Fields(strings.ToLower(g.search.Words))
		g.listed = []*Result{}
		for _, r := range g.Results {
			if g.search.has(r, words) {
				g.listed = append(g.listed, r)
			}
		}
	}
	return g.listed
}

func (s Search) finds(r *Result) bool { return s.has(r, strings.Fields(strings.ToLower(s.Words))) }

func (s Search) has(r *Result, words []string) bool {
	if s.Starred && !r.Starred {
		return false
	}
	for _, w := range words {
		if not, ok := strings.CutPrefix(w, "-"); ok && not != "" {
			if strings.Contains(r.searched(), not) {
				return false
			}
		} else if !strings.Contains(r.searched(), w) {
			return false
		}
	}
	return true
}

// searched returns what a result is found by, in lower case.
func (r *Result) searched() string {
	if r.text == "" {
		s := r.Settings
		width, height := s.OutputSize()
		words := append([]string{s.NegativePrompt, r.Label, s.Model, s.Scheduler, fmt.Sprintf("%dx%d", width, height)}, facts(r)...)
		for _, l := range s.LoRAs {
			words = append(words, l.Name())
		}
		r.text = strings.ToLower(strings.Join(words, "\n"))
	}
	return r.text
}

// Retell has what is said of the results said anew, in another language.
func (g *Gallery) Retell() {
	for _, r := range g.Results {
		r.text = ""
	}
	g.changed()
}

// Star gives results a star, or takes it away if all of them have one. It returns those that it changed.
func (g *Gallery) Star(list []*Result) (changed []*Result) {
	give := slices.ContainsFunc(list, func(r *Result) bool { return !r.Starred })
	for _, r := range list {
		if r.Starred != give {
			r.Starred = give
			changed = append(changed, r)
		}
	}
	g.changed()
	return changed
}

// TakeStar takes a star from the store, where another tab put it.
func (g *Gallery) TakeStar(r *Result, starred bool) {
	if r.Starred != starred {
		r.Starred = starred
		g.changed()
	}
}
