package state

import (
	"slices"
	"strings"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/texts"
)

// Compare lays a second picture over the one on the stage: before it, up to a line that the visitor moves.
type Compare struct {
	On   bool
	Line float64 // where the line is, from 0 (left) to 1 (right) of what is seen of the picture
	With Other

	after *Result // the picture on the stage
}

// Other is a picture that can be compared with the one on the stage.
type Other struct {
	Result *Result // nil for the start picture that the one on the stage was made from
	Label  string  // "" for no picture
}

// ID tells an Other from those beside it.
func (o Other) ID() string {
	if o.Result == nil {
		return "start"
	}
	return o.Result.URL
}

// Toggle begins or ends to compare.
func (c *Compare) Toggle() { c.On, c.Line = !c.On, 0.5 }

// maxOthers is how many pictures are offered to compare with.
const maxOthers = 50

// Others lists what a picture can be compared with, what tells most first: the start picture that it was made from, the
// same seed with other weights, then the gallery's other pictures.
func (g *Gallery) Others(shown *Result) (list []Other) {
	if shown == nil {
		return nil
	}
	if shown.Settings.InitImage != "" {
		list = append(list, Other{Label: texts.T("Start picture")})
	}
	var rest []Other
	for _, r := range g.Results {
		switch {
		case r == shown:
		case r.likeBut(shown):
			list = append(list, Other{r, texts.F("Same seed, %s", r.weights())})
		case len(rest) < maxOthers:
			rest = append(rest, Other{r, Shortened(r.Title())})
		}
	}
	list = append(list, rest...)
	return list[:min(len(list), maxOthers)]
}

// likeBut reports whether two results differ in nothing but the weights of what guides them.
func (r *Result) likeBut(other *Result) bool {
	a, b := r.Settings, other.Settings
	if a.Seed != b.Seed || len(a.Guides) == 0 || len(a.Guides) != len(b.Guides) {
		return false
	}
	like := *r
	like.Settings = unweighted(a)
	return like.madeFrom(unweighted(b))
}

// unweighted returns settings with no weights, and of one picture, as one of a strip of seeds may be alone.
func unweighted(s settings.Settings) settings.Settings {
	s = s.Clone()
	s.NumImages = 1
	for _, g := range s.Guides {
		if w := weightOf(g); w != nil {
			*w = 0
		}
	}
	return s
}

// weightOf returns where a guide has its weight; nil for one without.
func weightOf(g settings.Guide) *float64 {
	switch g := g.(type) {
	case *settings.IPAdapter:
		return &g.Lambda
	case *settings.ControlNet:
		return &g.Lambda
	case *settings.T2IAdapter:
		return &g.Lambda
	}
	return nil
}

// weights names the weights of what guides a result.
func (r *Result) weights() string {
	var list []string
	for _, g := range r.Settings.Guides {
		if w := weightOf(g); w != nil {
			list = append(list, "λ = "+texts.Trimmed(*w))
		}
	}
	return strings.Join(list, ", ")
}

// settle takes the picture that is on the stage now, and keeps what it is compared with, where that is another one and
// still there. Where it is the same, the picture that was on the stage before takes its place. Without another picture
// there is nothing to compare.
func (c *Compare) settle(g *Gallery, shown *Result) {
	before := c.after
	c.after = shown
	if !c.On || shown == nil {
		return
	}
	if c.With.Result == shown {
		c.With.Result = before
	}
	others := g.Others(shown)
	same := func(o Other) bool { return c.With.Label != "" && o.Result == c.With.Result }
	if i := slices.IndexFunc(others, same); i >= 0 {
		c.With = others[i]
	} else if len(others) == 0 {
		c.On, c.With = false, Other{}
	} else if c.With.Result == nil || !g.Has(c.With.Result) {
		c.With = others[0]
	}
}

// Choose compares with another picture, by its ID.
func (c *Compare) Choose(g *Gallery, id string) {
	for _, o := range g.Others(c.after) {
		if o.ID() == id {
			c.With = o
		}
	}
}

// Two puts a picture on the stage, with another before it.
func (c *Compare) Two(g *Gallery, before, after *Result) {
	g.Show(after)
	*c = Compare{On: true, Line: 0.5, With: Other{before, Shortened(before.Title())}, after: after}
}

// Move moves the line.
func (c *Compare) Move(to float64) { c.Line = clamp(to, 0, 1) }

// Key moves the line by a key, and reports whether the key does anything.
func (c *Compare) Key(name string) bool {
	by, ok := map[string]float64{"ArrowLeft": -0.02, "ArrowDown": -0.02, "ArrowRight": 0.02, "ArrowUp": 0.02, "PageDown": -0.1, "PageUp": 0.1, "Home": -1, "End": 1}[name]
	c.Move(c.Line + by)
	return ok
}
