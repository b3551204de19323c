package state

import (
	"fmt"
	"slices"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/imageproc/maps"
	"github.com/imprompt/imprompt/web"
)

// Structure is a map, such as edges or a pose, that the result follows, and the network that reads it.
type Structure struct {
	*Picture             // the map, or what it is made from
	Preprocessor string  // how it is made (maps.Parse); "" if the picture is the map
	Chosen       bool    // the visitor chose the preprocessor; otherwise it follows the network
	Map          Mask    // the map as it is looked at and painted on
	MadeBy       string  // the preprocessor that made Map.Base
	Problem      string  // why the map could not be made
	made         string  // what Map.Base was made from
	Network      string  // the ID of the network that was chosen; if it does not fit the model, the first that does is used
	Scale        float64 // λ, the weight
	Start, End   float64 // of the steps, 0 to 1
	Balance      string  // of a ControlNet: one of settings.Balances
}

// MaxStructures is how many maps a Composer takes.
const MaxStructures = 2

// NewStructure returns a map with the page's defaults.
func NewStructure(p *Picture) *Structure {
	return &Structure{Picture: p, Scale: 1, End: 1, Balance: settings.BalanceEven}
}

// AddStructure adds a map, if there is room.
func (c *Composer) AddStructure(s *Structure) {
	if len(c.Structures) >= MaxStructures {
		s.free()
		c.Problems[AtStructure] = fmt.Sprintf("There is room for %d maps: remove one first.", MaxStructures)
		return
	}
	c.Structures = append(c.Structures, s)
	delete(c.Problems, AtStructure)
}

// RemoveStructure removes a map.
func (c *Composer) RemoveStructure(s *Structure) {
	if i := slices.Index(c.Structures, s); i >= 0 {
		c.Structures = slices.Delete(slices.Clone(c.Structures), i, i+1)
		c.drop(s.Picture)
		delete(c.Problems, AtStructure)
	}
}

// SetStart and SetEnd set the part of the steps in which a map works, and keep its start before its end.
func (s *Structure) SetStart(v float64) { s.Start = min(clamp(v, 0, 1), s.End) }
func (s *Structure) SetEnd(v float64)   { s.End = max(clamp(v, 0, 1), s.Start) }

// Network is a ControlNet or a T2I-Adapter that is here, or that the catalogue offers.
type Network struct {
	ID, Name string // "" is the one that ships
	Kind     loader.Kind
	Here     bool
	Bytes    int64 // of the download
}

// NetworkOf returns the network that reads a map: the one that was chosen, or the first. ok is false if there is none.
func (s *Structure) NetworkOf(list []Network) (n Network, ok bool) {
	return first(list,
		func(n Network) bool { return n.ID == s.Network },
		// A picture's file has the network's name without what may be secret in it.
		func(n Network) bool { return settings.PublicName(n.ID) == s.Network },
		func(Network) bool { return true },
	)
}

func (c *Composer) networks() []Network {
	if c.Networks == nil {
		return nil
	}
	return c.Networks()
}

// guide is the map as settings say it. picture is its name there, and weights are those of the preprocessor's network.
func (s *Structure) guide(picture, preprocessor, weights string, n Network) settings.Guide {
	if n.Kind == loader.KindT2IAdapter {
		return &settings.T2IAdapter{Weights: n.ID, Map: picture, Lambda: s.Scale, Start: s.Start, End: s.End, Preprocessor: preprocessor, PreprocessorWeights: weights}
	}
	return &settings.ControlNet{Weights: n.ID, Map: picture, Lambda: s.Scale, Start: s.Start, End: s.End, Balance: s.Balance, Preprocessor: preprocessor, PreprocessorWeights: weights}
}

// restore takes over what settings say of a map. It reports whether the guide is one of structure, and its picture.
func (s *Structure) restore(g settings.Guide) (picture string, ok bool) {
	s.Chosen = true
	switch g := g.(type) {
	case *settings.ControlNet:
		s.Preprocessor = g.Preprocessor
		s.Network, s.Scale, s.Start, s.End, s.Balance = g.Weights, g.Lambda, g.Start, g.End, g.Balance
		return g.Map, true
	case *settings.T2IAdapter:
		s.Preprocessor = g.Preprocessor
		s.Network, s.Scale, s.Start, s.End = g.Weights, g.Lambda, g.Start, g.End
		return g.Map, true
	}
	return "", false
}

// Networks lists what reads maps for the chosen model: first what is here, then what the catalogue offers.
func (l *Library) Networks() []Network {
	if l.Chosen.ID == "" {
		if web.Ships.ControlNet == "" {
			return nil
		}
		return []Network{{Name: web.Ships.ControlNet, Kind: loader.KindControlNet, Here: true}}
	}
	var list []Network
	for _, kind := range []loader.Kind{loader.KindControlNet, loader.KindT2IAdapter} {
		for _, item := range whole(l.stored, kind) {
			list = append(list, Network{ID: item.ID, Name: item.Name, Kind: kind, Here: true})
		}
	}
	for _, e := range l.catalogue.Models {
		if e.Kind != loader.KindControlNet && e.Kind != loader.KindT2IAdapter {
			continue
		}
		if item := find(l.stored, e.ID); item == nil || !item.Complete {
			list = append(list, Network{ID: e.ID, Name: e.Name, Kind: e.Kind, Bytes: e.Bytes})
		}
	}
	return list
}

// MapNetwork returns the network of a way to make maps: what the catalogue has for it, or another file of its kind that is here.
func (l *Library) MapNetwork(m *maps.Method) Network {
	kind := loader.Kind(m.Network)
	n := Network{ID: m.Weights, Name: m.Label, Kind: kind}
	e, known := l.catalogue.Entry(m.Weights)
	if known {
		n.Name, n.Bytes = e.Name, e.Bytes
	}
	for _, item := range whole(l.stored, kind) {
		if _, offered := l.catalogue.Entry(item.ID); item.ID == m.Weights || !offered {
			n.ID, n.Name, n.Here = item.ID, item.Name, true
		}
		if item.ID == m.Weights {
			break
		}
	}
	return n
}

// Need is how a network that is not here can be got: what the catalogue says of it, and how far its download is.
func (l *Library) Need(n Network) Row {
	if e, ok := l.catalogue.Entry(n.ID); ok {
		return drawing{l}.offerRow(e)
	}
	return Row{ID: n.ID, Name: n.Name}
}

// preprocessorOf returns how a guide's map is made, and the weights for that; nil for another guide.
func preprocessorOf(g settings.Guide) (m *maps.Method, weights string) {
	text := ""
	switch g := g.(type) {
	case *settings.ControlNet:
		text, weights = g.Preprocessor, g.PreprocessorWeights
	case *settings.T2IAdapter:
		text, weights = g.Preprocessor, g.PreprocessorWeights
	}
	p, _ := maps.Parse(text) // what cannot be read has no network
	return p.Method, weights
}

// structureProblem says what is missing to read a request's maps; "" for nothing.
func (l *Library) structureProblem(s settings.Settings) string {
	networks := l.Networks()
	for _, g := range s.Guides {
		kind := g.Kind()
		if m, weights := preprocessorOf(g); m != nil && m.Network != "" {
			if n := l.MapNetwork(m); !n.Here || n.ID != weights {
				return n.Name + ", which makes the map, is not here: download it under Structure, or choose another way to make the map."
			}
		}
		if kind != settings.KindControlNet && kind != settings.KindT2IAdapter {
			continue
		}
		i := slices.IndexFunc(networks, func(n Network) bool { return n.ID == g.Files()[0] })
		switch {
		case i >= 0 && networks[i].Here:
		case i >= 0:
			return networks[i].Name + " is not here: download it under Structure, or remove the map."
		case l.Chosen.ID == "":
			return "The network that reads this map is not part of the model that ships: choose another model, or remove the map."
		default:
			return "A map needs a ControlNet or a T2I-Adapter that reads it: download one under Structure, or remove the map."
		}
	}
	return ""
}
