package state

import (
	"slices"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/loader"
)

// Structure is a picture that the result follows: as a map, such as edges or a pose, which a network reads, or as it is.
type Structure struct {
	*Picture                        // the map, what it is made from, or what is followed as it is
	Preprocessor string             // how the map is made (maps.Parse); "" if the picture is the map
	Chosen       bool               // the visitor chose the preprocessor; otherwise it follows the network
	Map          Mask               // the map as it is looked at and painted on
	MadeBy       string             // the preprocessor that made Map.Base
	Problem      Problem            // why the map could not be made
	made         string             // what Map.Base was made from
	Network      string             // the ID of the network that was chosen; if it does not fit the model, the first that does is used
	Part         string             // of a Uni-ControlNet: Network.Part
	Scale        float64            // λ, the weight
	Start, End   float64            // of the steps, 0 to 1
	Balance      string             // of a ControlNet: one of settings.Balances
	Reference    settings.Reference // of a picture that is followed without weights; it has no Picture
}

// MaxStructures is how many pictures a Composer takes.
const MaxStructures = 4

// NewStructure returns a picture to follow, with the page's defaults.
func NewStructure(p *Picture) *Structure {
	return &Structure{Picture: p, Scale: 1, End: 1, Balance: settings.BalanceEven, Reference: settings.DefaultReference()}
}

// AddStructure adds a picture, if there is room.
func (c *Composer) AddStructure(s *Structure) {
	if len(c.Structures) >= MaxStructures {
		s.free()
		c.Problems[AtStructure] = problem(texts.F("There is room for %d pictures here: remove one first.", MaxStructures), Remedy{RemoveLast, c.Structures[MaxStructures-1].Name})
		return
	}
	c.Structures = append(c.Structures, s)
	delete(c.Problems, AtStructure)
}

// Replace follows another picture in the same way.
func (c *Composer) Replace(s *Structure, p *Picture) {
	old := s.Picture
	s.Picture, s.Map, s.MadeBy = p, Mask{}, ""
	s.MakeAgain()
	c.drop(old)
}

// RemoveStructure removes a picture.
func (c *Composer) RemoveStructure(s *Structure) {
	if i := slices.Index(c.Structures, s); i >= 0 {
		c.Structures = slices.Delete(slices.Clone(c.Structures), i, i+1)
		c.drop(s.Picture)
		delete(c.Problems, AtStructure)
	}
}

// SetStart and SetEnd set the part of the steps in which a picture works, and keep its start before its end.
func (s *Structure) SetStart(v float64) { s.Start = min(clamp(v, 0, 1), s.End) }
func (s *Structure) SetEnd(v float64)   { s.End = max(clamp(v, 0, 1), s.Start) }

// Lead returns the structure whose weight and steps count for a structure: of the maps of one Uni-ControlNet, which has one
// weight for all of them, the first.
func (c *Composer) Lead(s *Structure) *Structure {
	list := c.networks()
	n, _ := s.NetworkOf(list)
	for _, other := range c.Structures {
		if o, _ := other.NetworkOf(list); n.Kind == loader.KindUniControlNet && o.ID == n.ID && n.ReadsMap() && o.ReadsMap() {
			return other
		}
	}
	return s
}

// Choose has another network read the structure, by its Value.
func (c *Composer) Choose(s *Structure, value string) {
	for _, n := range c.networks() {
		if n.Value() == value {
			s.Network, s.Part = n.ID, n.Part
		}
	}
}

// guide adds a structure to a request's guides, as settings say it. picture is its name there, and weights are those of the
// preprocessor's network.
func (s *Structure) guide(list settings.Guides, picture, preprocessor, weights string, n *Network) settings.Guides {
	switch n.Kind {
	case Reference:
		r := s.Reference
		r.Picture = picture
		return append(list, &r)
	case loader.KindT2IAdapter:
		return append(list, &settings.T2IAdapter{Weights: n.ID, Map: picture, Lambda: s.Scale, Start: s.Start, End: s.End, ImageEncoder: n.Encoder,
			Preprocessor: preprocessor, PreprocessorWeights: weights})
	case loader.KindUniControlNet:
		u, list := uniGuide(list, n)
		*u.Picture(n.Part) = picture
		if !n.ReadsMap() {
			u.Global, u.ImageEncoder = s.Scale, n.Encoder
			return list
		}
		u.Local, u.Start, u.End = s.Scale, s.Start, s.End
		how, with := u.Preprocessor(n.Part)
		*how, *with = preprocessor, weights
		return list
	}
	return append(list, &settings.ControlNet{Weights: n.ID, Map: picture, Lambda: s.Scale, Start: s.Start, End: s.End, Balance: s.Balance,
		Preprocessor: preprocessor, PreprocessorWeights: weights})
}

// uniGuide returns the guide of a Uni-ControlNet in which there is room for one of its pictures, and the guides with it.
func uniGuide(list settings.Guides, n *Network) (*settings.UniControlNet, settings.Guides) {
	for _, g := range list {
		if u, ok := g.(*settings.UniControlNet); ok && u.Weights == n.ID && *u.Picture(n.Part) == "" {
			return u, list
		}
	}
	u := settings.DefaultUniControlNet()
	u.Weights = n.ID
	return &u, append(list, &u)
}

// restored are the structures that settings say of a guide, without their pictures, whose names are beside them. A guide that
// is none of structure has none.
func restored(g settings.Guide) (list []*Structure, pictures []string) {
	add := func(network, picture, preprocessor string, scale, start, end float64) *Structure {
		s := NewStructure(nil)
		s.Chosen, s.Network, s.Preprocessor, s.Scale, s.Start, s.End = true, network, preprocessor, scale, start, end
		list, pictures = append(list, s), append(pictures, picture)
		return s
	}
	switch g := g.(type) {
	case *settings.ControlNet:
		add(g.Weights, g.Map, g.Preprocessor, g.Lambda, g.Start, g.End).Balance = g.Balance
	case *settings.T2IAdapter:
		add(g.Weights, g.Map, g.Preprocessor, g.Lambda, g.Start, g.End)
	case *settings.Reference:
		s := add(ReferenceOnly, g.Picture, "", 1, 0, 1)
		s.Reference = *g
		s.Reference.Picture = ""
	case *settings.UniControlNet:
		for i, name := range settings.UniMaps {
			if picture := *g.Picture(name); picture != "" {
				add(g.Weights, picture, g.Preprocessors[i], g.Local, g.Start, g.End).Part = name
			}
		}
		if g.Content != "" {
			add(g.Weights, g.Content, "", g.Global, 0, 1).Part = settings.UniContent
		}
	}
	return list, pictures
}

// takeOver takes over what settings say of another structure, and keeps the picture and what is painted.
func (s *Structure) takeOver(from *Structure) {
	from.Picture, from.Map, from.MadeBy, from.Problem, from.made = s.Picture, s.Map, s.MadeBy, s.Problem, s.made
	*s = *from
}
