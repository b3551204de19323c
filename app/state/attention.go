package state

import (
	"github.com/imprompt/imprompt/app/texts"
)

// Attention is what the page's tab says while the visitor looks elsewhere.
type Attention struct {
	Name   string // of the page
	Hidden bool   // the page is not seen
	done   string // what was done since
}

// Seen says whether the page is seen.
func (a *Attention) Seen(seen bool) {
	a.Hidden = !seen
	if seen {
		a.done = ""
	}
}

// Done says what is done, and reports whether the visitor should be told of it elsewhere.
func (a *Attention) Done(text string) (tell bool) {
	if !a.Hidden {
		return false
	}
	a.done = text
	return true
}

// Title is the title of the tab: how far a picture is or, without one, a download.
func (a *Attention) Title(j *Jobs, l *Library) string {
	if j.Busy() {
		return texts.Percent(j.Progress(nil).Fraction) + " · " + a.Name
	}
	if text, fraction := l.Underway(); text != "" {
		return texts.Percent(fraction) + " · " + a.Name
	}
	if a.done != "" {
		return a.done + " · " + a.Name
	}
	return a.Name
}
