package evaluate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/imprompt/imprompt/app/settings"
)

// Spec describes a table to be made: the pictures, the judge, and the rows. Paths are
// relative to the folder in which the command runs.
type Spec struct {
	Pictures string `json:"pictures"` // the list; see ReadExamples
	CLIP     string `json:"clip"`     // the judge: a folder in transformers' or diffusers' layout; "" is the model that ships

	Scheduler         string  `json:"scheduler"`
	NumInferenceSteps int     `json:"num_inference_steps"`
	GuidanceScale     float64 `json:"guidance_scale"`
	Height            int     `json:"height"`
	Width             int     `json:"width"`

	Seeds int `json:"seeds"` // each picture is drawn with the seeds 0, 1, …
	Count int `json:"count"` // how many of the list's pictures; 0 is all

	Adapters map[string]Adapter `json:"adapters"`
	Ways     []Way              `json:"rows"`

	keep []string // only rows whose name contains one of these; all rows if it is empty
}

// Adapter is an IP-Adapter that rows refer to by name.
type Adapter struct {
	Weights      string `json:"ip_adapter"`    // a file
	ImageEncoder string `json:"image_encoder"` // "" is the model's own
}

// Way is a way of asking for a picture. With several adapters or scales it stands for one
// row for each, and {adapter} and {scale} in its name stand for what differs.
type Way struct {
	Name     string    `json:"row"`
	Model    string    `json:"model"`    // "" is the model that ships
	Words    string    `json:"words"`    // {caption}, {other} and so on are fields of the list
	Adapters []string  `json:"adapters"` // none: no image prompt
	Scales   []float64 `json:"scales"`   // λ; 1 if it is empty
	Layers   string    `json:"layers"`   // all, style or composition
}

// Row is one row of the table.
type Row struct {
	Name    string   `json:"row"`
	Model   string   `json:"model,omitempty"`
	Words   string   `json:"words"`
	Adapter *Adapter `json:"adapter,omitempty"` // nil: words alone
	Scale   float64  `json:"scale,omitempty"`
	Layers  string   `json:"layers,omitempty"`
}

// ParseSpec reads a spec. The error names everything that is wrong with it.
func ParseSpec(text []byte) (*Spec, error) {
	s := &Spec{Scheduler: "dpmpp_2m", NumInferenceSteps: 20, GuidanceScale: 5, Seeds: 1}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(s); err != nil {
		return nil, fmt.Errorf("the table's settings: %w", err)
	}
	_, err := s.Rows()
	return s, err
}

// Rows expands the ways into rows.
func (s *Spec) Rows() ([]Row, error) {
	var rows []Row
	var errs []error
	names := map[string]bool{}
	add := func(r Row) {
		if names[r.Name] {
			errs = append(errs, fmt.Errorf("two rows are called %q: put {adapter} or {scale} into the name of an entry that stands for several rows", r.Name))
		}
		names[r.Name] = true
		rows = append(rows, r)
	}
	for i, w := range s.Ways {
		if w.Name == "" {
			errs = append(errs, fmt.Errorf("row %d has no name: give it one as \"row\"", i+1))
		}
		if len(w.Adapters) == 0 {
			if len(w.Scales) > 0 || w.Layers != "" {
				errs = append(errs, fmt.Errorf("row %q has scales or layers but no adapters: name the adapters", w.Name))
			}
			add(Row{Name: w.Name, Model: w.Model, Words: w.Words})
			continue
		}
		layers := w.Layers
		if layers == "" {
			layers = settings.LayersAll
		}
		scales := w.Scales
		if len(scales) == 0 {
			scales = []float64{1}
		}
		for _, name := range w.Adapters {
			a, ok := s.Adapters[name]
			if !ok {
				errs = append(errs, fmt.Errorf("row %q: there is no adapter %q among \"adapters\"", w.Name, name))
			}
			for _, scale := range scales {
				label := strings.NewReplacer("{adapter}", name, "{scale}", fmt.Sprintf("%g", scale)).Replace(w.Name)
				add(Row{Name: label, Model: w.Model, Words: w.Words, Adapter: &a, Scale: scale, Layers: layers})
			}
		}
	}
	if len(s.keep) > 0 {
		rows = slices.DeleteFunc(rows, func(r Row) bool {
			return !slices.ContainsFunc(s.keep, func(part string) bool { return strings.Contains(r.Name, part) })
		})
	}
	switch {
	case len(s.Ways) == 0:
		errs = append(errs, errors.New("the table has no rows"))
	case len(rows) == 0:
		errs = append(errs, fmt.Errorf("no row's name contains %s", strings.Join(s.keep, " or ")))
	}
	if s.Seeds < 1 || s.Count < 0 {
		errs = append(errs, fmt.Errorf("%d seeds of %d pictures: give at least one seed, and a count of 0 (all pictures) or more", s.Seeds, s.Count))
	}
	return rows, errors.Join(errs...)
}

// Keep keeps only the rows whose name contains one of the words.
func (s *Spec) Keep(words []string) error {
	s.keep = words
	_, err := s.Rows()
	return err
}

// Example is one line of the list: an image prompt, its caption, and other fields, such
// as other words to ask for.
type Example map[string]string

// ReadExamples reads a list. Each line is a JSON object with a "picture", which is a file
// beside the list, a "caption", and any other fields that the rows' words name.
func ReadExamples(list []byte, count int) ([]Example, error) {
	var all []Example
	for i, line := range bytes.Split(list, []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var e Example
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		if e["picture"] == "" || e["caption"] == "" {
			return nil, fmt.Errorf(`line %d: it needs a "picture" and its "caption"`, i+1)
		}
		all = append(all, e)
	}
	if len(all) == 0 || count > len(all) {
		return nil, fmt.Errorf("the list has %d pictures, but %d were asked for", len(all), max(1, count))
	}
	if count > 0 {
		all = all[:count]
	}
	return all, nil
}

var field = regexp.MustCompile(`\{\w+\}`)

// Fill inserts an example's fields into a row's words.
func (e Example) Fill(words string) (string, error) {
	var missing []string
	out := field.ReplaceAllStringFunc(words, func(name string) string {
		v, ok := e[name[1:len(name)-1]]
		if !ok {
			missing = append(missing, name)
		}
		return v
	})
	if len(missing) > 0 {
		return "", fmt.Errorf("its words name %s, which the list does not have for %s", strings.Join(missing, ", "), e["picture"])
	}
	return out, nil
}

// settings returns the settings that draw an example in a row's way.
func (s *Spec) settings(r Row, e Example, seed int) (settings.Settings, error) {
	out := settings.Default()
	words, err := e.Fill(r.Words)
	if err != nil {
		return out, fmt.Errorf("row %q: %w", r.Name, err)
	}
	out.Model, out.Prompt, out.Seed = r.Model, words, uint64(seed)
	out.Scheduler, out.NumInferenceSteps, out.GuidanceScale = s.Scheduler, s.NumInferenceSteps, s.GuidanceScale
	out.Height, out.Width = s.Height, s.Width
	if r.Adapter != nil {
		a := settings.DefaultIPAdapter()
		a.Weights, a.ImageEncoder, a.Lambda, a.Layers = r.Adapter.Weights, r.Adapter.ImageEncoder, r.Scale, r.Layers
		a.Images = []settings.ImagePrompt{{Picture: e["picture"]}}
		out.Guides = settings.Guides{&a}
	}
	return out, out.Validate()
}
