package state

import (
	"cmp"
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/model/imageproc/maps"
)

// A structure's map is made from its picture in the worker that draws, so that it can be looked at and painted on. As
// long as nothing is painted on it, a request has the picture and the preprocessor, and the engine makes the map again in
// the size of the result.

// suited lists parts of the names of networks, with the preprocessor that makes their maps.
var suited = [][2]string{{"canny", "canny"}, {"lineart", "canny"}, {"scribble", "scribble"}, {"sketch", "scribble"}, {"softedge", "softedge"}, {"soft edge", "softedge"}, {"hed", "softedge"},
	{"tile", "tile"}, {"shuffle", "shuffle"}, {"depth", "depth"}, {"midas", "depth"}, {"openpose", "openpose"}, {"recolor", "recolor_luminance"}, {"color", "color"}}

// PreprocessorOf returns the preprocessor that makes the map: the one that the visitor chose, or else the one that suits the
// network that reads it.
func (s *Structure) PreprocessorOf(list []*Network) string {
	n, ok := s.NetworkOf(list)
	switch {
	case ok && !n.ReadsMap():
		return ""
	case s.Chosen || !ok:
		return s.Preprocessor
	}
	name := strings.ToLower(cmp.Or(n.Part, n.ID+" "+n.Name))
	for _, suits := range suited {
		if strings.Contains(name, suits[0]) {
			return suits[1]
		}
	}
	return ""
}

// Parsed returns the preprocessor. One that is not known here takes the picture as the map.
func (s *Structure) Parsed(list []*Network) maps.Preprocessor {
	p, err := maps.Parse(s.PreprocessorOf(list))
	if err != nil {
		p, _ = maps.Parse("") // cannot fail
	}
	return p
}

// SetPreprocessor chooses a preprocessor by its name, with its defaults.
func (s *Structure) SetPreprocessor(name string) {
	s.Preprocessor, s.Chosen = name, true
	if name == maps.None {
		s.Preprocessor = ""
	}
}

// SetOption changes one of the preprocessor's numbers.
func (s *Structure) SetOption(list []*Network, option int, v float64) {
	p := s.Parsed(list)
	o := p.Method.Options[option]
	if o.Whole {
		v = math.Round(v)
	}
	p.Values[option] = clamp(v, o.Min, o.Max)
	s.Preprocessor, s.Chosen = p.String(), true
}

// Painted reports whether something is painted on the map.
func (s *Structure) Painted() bool { return s.Map.Painted() }

// PaintedEarly says which map has paint on it but has not been made yet; none if there is none.
func (c *Composer) PaintedEarly() Problem {
	for _, s := range c.Structures {
		if s.Painted() && s.Map.Base == nil {
			return problem(texts.F("The map of %s, on which you painted, is still being made. Press Generate again in a moment.", s.Name), Remedy{Mend: TryAgain})
		}
	}
	return Problem{}
}

// MapNetwork returns the network that a structure's preprocessor needs. needed is false if it needs none.
func (c *Composer) MapNetwork(s *Structure) (n *Network, needed bool) {
	m := s.Parsed(c.networks()).Method
	if m.Weights == "" || c.MapNetworks == nil {
		return &Network{}, m.Weights != ""
	}
	return c.MapNetworks(m), true
}

// MapRequest asks for the map of a structure.
type MapRequest struct {
	Structure     *Structure
	Preprocessor  string
	Weights       string // of the preprocessor's network
	Width, Height int    // of the result
	Background    string // behind a transparent picture
	key           string // what it is made of
}

// NextMap returns a map that has to be made, one at a time; ok is false if there is none or one is being made. A map whose
// preprocessor is a network that is not here has to wait for it.
func (c *Composer) NextMap() (r MapRequest, ok bool) {
	if c.making.Structure != nil {
		return r, false
	}
	for _, s := range c.Structures {
		r = MapRequest{Structure: s, Preprocessor: s.PreprocessorOf(c.networks()), Width: c.Settings.Width, Height: c.Settings.Height, Background: c.Settings.Background}
		n, needed := c.MapNetwork(s)
		if needed && !n.Here {
			continue
		}
		r.Weights = n.ID
		r.key = fmt.Sprintf("%p", s.Picture)
		if r.Preprocessor != "" {
			r.key += fmt.Sprint(" ", r.Preprocessor, " ", r.Weights, " ", r.Width, " ", r.Height, " ", r.Background)
		}
		if s.made != r.key {
			c.making = r
			return r, true
		}
	}
	return r, false
}

// Making reports whether the map of a structure is being made.
func (c *Composer) Making(s *Structure) bool { return c.making.Structure == s }

// TakeMap takes the map that NextMap asked for, or why it could not be made.
func (c *Composer) TakeMap(base *Base, problem Problem) {
	r := c.making
	c.making = MapRequest{}
	if r.Structure == nil {
		return
	}
	r.Structure.made, r.Structure.Problem = r.key, problem
	if base != nil {
		r.Structure.Map.Base, r.Structure.Map.Fixed, r.Structure.MadeBy = base, true, r.Preprocessor
	}
}

// MakeAgain has the map of a structure made again, after it could not be made.
func (s *Structure) MakeAgain() { s.made, s.Problem = "", Problem{} }

// LoseMap says that the map that NextMap asked for will not come, because the engine is started again.
func (c *Composer) LoseMap() { c.making = MapRequest{} }

// OverStage returns the structure whose map is shown over the stage, or nil. A map that was removed or replaced is not
// shown.
func (c *Composer) OverStage() *Structure {
	if slices.Contains(c.Structures, c.overStage) {
		return c.overStage
	}
	return nil
}

// ToggleOverStage shows a structure's map over the stage, or hides it if it is shown.
func (c *Composer) ToggleOverStage(s *Structure) {
	if c.OverStage() == s {
		s = nil
	}
	c.overStage = s
}

// MapName is the name of the file with a structure's map.
func (s *Structure) MapName() string {
	return strings.TrimSuffix(s.Name, path.Ext(s.Name)) + "-map.png"
}
