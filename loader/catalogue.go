package loader

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// Catalogue is the content of web/catalogue.json: the models that the page offers. Whoever
// serves the page may edit it.
type Catalogue struct {
	About    string             `json:"about,omitempty"`
	Base     string             `json:"base"` // the hub, or a mirror with the same paths
	Licences map[string]Licence `json:"licences"`
	Models   []Entry            `json:"models"`
	Bundles  []Bundle           `json:"bundles,omitempty"`
}

// Bundle is a model that is downloaded together with what it is used with, all at once.
type Bundle struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	About   string   `json:"about,omitempty"`
	Records []string `json:"records"` // ids of entries, the model first; what they need comes with them
	// What suits the bundle, if it is not what suits its model. Zero values change nothing.
	Scheduler         string  `json:"scheduler,omitempty"`
	NumInferenceSteps int     `json:"num_inference_steps,omitempty"`
	GuidanceScale     float64 `json:"guidance_scale,omitempty"`
}

// Licence is shown before the first download; Accept asks for an answer.
type Licence struct {
	Name   string `json:"name"`
	URL    string `json:"url"`
	Accept bool   `json:"accept"`
}

// Entry is one model, adapter or image encoder.
type Entry struct {
	ID      string `json:"id"`
	Kind    Kind   `json:"kind"`
	Name    string `json:"name"`
	About   string `json:"about,omitempty"`
	Source  string `json:"source"` // owner/name on the base, a path below it, or a whole link
	Needs   string `json:"needs,omitempty"`
	Bytes   int64  `json:"bytes"`            // about what is downloaded
	Stored  int64  `json:"stored,omitempty"` // about what is stored of it, if that is less
	SHA256  string `json:"sha256,omitempty"`
	Tiny    bool   `json:"tiny,omitempty"` // a VAE that is fast enough for previews
	Licence string `json:"licence"`
}

// Bundle returns the bundle with an id, or an empty one.
func (c Catalogue) Bundle(id string) (none Bundle) {
	for _, b := range c.Bundles {
		if b.ID == id {
			return b
		}
	}
	return none
}

// ParseCatalogue reads a catalogue, and refuses one that the page could not follow.
func ParseCatalogue(text []byte) (Catalogue, error) {
	var c Catalogue
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, fmt.Errorf("catalogue.json: %w", err)
	}
	ids := map[string]bool{}
	for _, e := range c.Models {
		if e.ID == "" || ids[e.ID] {
			return c, fmt.Errorf("catalogue.json: the id %q is empty or is used twice", e.ID)
		}
		ids[e.ID] = true
		if kinds := storedKinds(); !slices.Contains(kinds, e.Kind) {
			return c, fmt.Errorf("catalogue.json: %s has the kind %q, which is none of %q", e.ID, e.Kind, kinds)
		}
		if _, ok := c.Licences[e.Licence]; !ok {
			return c, fmt.Errorf("catalogue.json: the licence %q of %s is not among the licences", e.Licence, e.ID)
		}
		if _, err := c.Link(e); err != nil {
			return c, fmt.Errorf("catalogue.json: %s: %w", e.ID, err)
		}
	}
	for _, e := range c.Models {
		if e.Needs != "" && !ids[e.Needs] {
			return c, fmt.Errorf("catalogue.json: %s needs %q, which is not in the catalogue", e.ID, e.Needs)
		}
	}
	for _, b := range c.Bundles {
		if len(b.Records) == 0 {
			return c, fmt.Errorf("catalogue.json: the bundle %q is empty", b.ID)
		}
		for _, id := range b.Records {
			if !ids[id] {
				return c, fmt.Errorf("catalogue.json: the bundle %q has %q, which is not in the catalogue", b.ID, id)
			}
		}
	}
	return c, nil
}

// With lists entries with all that they need, each once, in the order in which they are named.
func (c Catalogue) With(ids ...string) (list []Entry) {
	there := map[string]bool{}
	for _, id := range ids {
		for id != "" && !there[id] {
			e, ok := c.Entry(id)
			if !ok {
				break
			}
			list, there[id] = append(list, e), true
			id = e.Needs
		}
	}
	return list
}

// Entry finds an entry by its id.
func (c Catalogue) Entry(id string) (Entry, bool) {
	for _, e := range c.Models {
		if e.ID == id {
			return e, true
		}
	}
	return Entry{}, false
}

// Link is the address of an entry.
func (c Catalogue) Link(e Entry) (Link, error) { return ParseLink(e.Source, c.Base) }
