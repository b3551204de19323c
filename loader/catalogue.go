package loader

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Catalogue is what web/catalogue.json says: models that the page offers. Anyone who
// serves the page may edit it.
type Catalogue struct {
	About    string             `json:"about,omitempty"`
	Base     string             `json:"base"` // the hub, or a mirror with the same paths
	Licences map[string]Licence `json:"licences"`
	Models   []Entry            `json:"models"`
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
	Kind    string `json:"kind"` // model, ip_adapter or image_encoder
	Name    string `json:"name"`
	About   string `json:"about,omitempty"`
	Source  string `json:"source"` // owner/name on the base, a path below it, or a whole link
	Needs   string `json:"needs,omitempty"`
	Bytes   int64  `json:"bytes"` // about what is downloaded
	SHA256  string `json:"sha256,omitempty"`
	Licence string `json:"licence"`
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
			return c, fmt.Errorf("catalogue.json: the id %q is empty or stands twice", e.ID)
		}
		ids[e.ID] = true
		switch e.Kind {
		case "model", "ip_adapter", "image_encoder":
		default:
			return c, fmt.Errorf("catalogue.json: %s has the kind %q; there are model, ip_adapter, image_encoder", e.ID, e.Kind)
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
			return c, fmt.Errorf("catalogue.json: %s needs %q, which is not there", e.ID, e.Needs)
		}
	}
	return c, nil
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

// Link is where an entry lies.
func (c Catalogue) Link(e Entry) (Link, error) { return ParseLink(e.Source, c.Base) }

// Components are what store.Files asks for an entry of its kind.
func (e Entry) Components() []string {
	if e.Kind == "model" {
		return []string{"unet", "vae", "text_encoder"}
	}
	return []string{""}
}
