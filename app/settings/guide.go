package settings

import (
	"encoding/json"
	"fmt"
)

// Guide is something that steers a picture besides words. Each kind has its own type,
// in its own file.
type Guide interface {
	// Kind names the guide's kind in JSON.
	Kind() string
	// Files lists the names of the weights that the guide needs; "" stands for those that ship.
	Files() []string
	// Pictures lists the names of the guide's input pictures; "" stands for none.
	Pictures() []string

	validate(v *problems, where string)
	bound(n *notes)   // cuts whatever is too long to have been written by a person
	names() []*string // all names: of files, pictures and choices
	clone() Guide
}

// kinds makes a guide of each kind with its defaults, which stay where JSON leaves a field out. A
// kind's file adds itself.
var kinds = map[string]func() Guide{}

// Guides is a list of guides. In JSON each guide is an object with its kind.
type Guides []Guide

// MarshalJSON writes each guide's kind before its fields.
func (l Guides) MarshalJSON() ([]byte, error) {
	list := make([]json.RawMessage, len(l))
	for i, g := range l {
		fields, err := json.Marshal(g)
		if err != nil {
			return nil, err
		}
		list[i] = append(fmt.Appendf(nil, `{"kind":%q,`, g.Kind()), fields[1:]...)
	}
	return json.Marshal(list)
}

// UnmarshalJSON leaves out guides of a kind that it does not know.
func (l *Guides) UnmarshalJSON(text []byte) error {
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	*l = nil
	for _, one := range list {
		var g struct{ Kind string }
		if err := json.Unmarshal(one, &g); err != nil {
			return err
		}
		create, ok := kinds[g.Kind]
		if !ok {
			continue
		}
		guide := create()
		if err := json.Unmarshal(one, guide); err != nil {
			return err
		}
		*l = append(*l, guide)
	}
	return nil
}

// unknownKinds lists the kinds of guides that UnmarshalJSON leaves out of settings.
func unknownKinds(text []byte) (list []string) {
	var s struct{ Guides []struct{ Kind string } }
	if json.Unmarshal(text, &s) != nil {
		return nil
	}
	for _, g := range s.Guides {
		if kinds[g.Kind] == nil {
			list = append(list, g.Kind)
		}
	}
	return list
}

func (l Guides) clone() Guides {
	if l == nil {
		return nil
	}
	c := make(Guides, len(l))
	for i, g := range l {
		c[i] = g.clone()
	}
	return c
}
