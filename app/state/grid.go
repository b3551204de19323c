package state

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/model/scheduler"
)

// Grid is how the pictures of a request are laid out: row by row, with what stands above the columns and beside the rows.
// A strip has columns only, and pictures that only count have none either.
type Grid struct {
	Columns []string `json:"columns,omitempty"`
	Rows    []string `json:"rows,omitempty"`
}

// Flat reports whether the pictures are in one row.
func (g Grid) Flat() bool { return len(g.Rows) == 0 }

// Axis is one direction of a grid: what differs, and its values as the visitor typed them.
type Axis struct {
	Kind   string `json:"kind"` // of an AxisKind; "" for nothing
	Values string `json:"values"`
}

// AxisKind is what an axis can be about.
type AxisKind struct {
	Kind, Label string
	Example     string // values, as they are typed
	offered     bool   // there is something composed that it changes
	// parse reads values. s are the settings that they change.
	parse func(text string, s settings.Settings) ([]point, error)
}

// point is one value of an axis.
type point struct {
	label string
	apply func(*settings.Settings)
}

// maxGrid is how many pictures a grid has at most.
const maxGrid = 100

// AxisKinds lists what a strip or a grid of what is composed can be about. models are those that can take the place of
// the chosen one.
func (c *Composer) AxisKinds(models []Choice) []AxisKind {
	return slices.DeleteFunc(c.allAxes(models), func(k AxisKind) bool { return !k.offered })
}

// allAxes are also those that nothing is composed for.
func (c *Composer) allAxes(models []Choice) (kinds []AxisKind) {
	add := func(offered bool, kind, label, example string, parse func(string, settings.Settings) ([]point, error)) {
		kinds = append(kinds, AxisKind{kind, label, example, offered, parse})
	}
	n := len(c.Prompts)
	add(n > 0, "lambda", texts.T("Image weight"), "0-1 (+0.25)", decimals(weightLabel, setWeights))
	for i := range n {
		add(n > 1, fmt.Sprintf("lambda%d", i+1), texts.F("Weight of image prompt %d", i+1), "0-1 (+0.25)",
			decimals(fmt.Sprintf("λ%c = ", '₁'+rune(i)), func(s *settings.Settings, v float64) { s.IPAdapters()[i].Lambda = v }))
	}
	chosen, _ := scheduler.Find(c.Settings.Scheduler)
	_, tags, _ := settings.CutLoRAs(c.Settings.Prompt)
	add(true, "steps", texts.T("Steps"), "10-30 (+10)", wholes("%d steps", func(s *settings.Settings, n int) { s.NumInferenceSteps = n }))
	add(true, "guidance", texts.T("Guidance"), "3-9 [4]", decimals("guidance ", func(s *settings.Settings, v float64) { s.GuidanceScale = v }))
	add(true, "scheduler", texts.T("Scheduler"), "Euler, DDIM, UniPC", schedulers)
	add(true, "seed", texts.T("Seed"), "1-5", wholes(seedLabel+"%d", setSeed))
	add(true, "variation", texts.T("Variation"), "0-0.5 (+0.1)", decimals("variation ", func(s *settings.Settings, v float64) { s.VariationStrength = v }))
	add(len(models) > 1, "model", texts.T("Model"), strings.Join(namesOf(models), ", "), func(text string, _ settings.Settings) ([]point, error) {
		return namedIn(text, texts.T("model"), namesOf(models), idsOf(models), func(s *settings.Settings, id string) { s.Model = id })
	})
	add(true, "words", texts.T("Words, replaced"), "fox, cat, dog", replacements)
	add(true, "clip_skip", texts.T("Clip skip"), "0-2", wholes("clip skip %d", func(s *settings.Settings, n int) { s.ClipSkip = n }))
	add(chosen.Eta, "eta", texts.T("Eta"), "0-1 (+0.5)", decimals("eta ", func(s *settings.Settings, v float64) { s.Eta = v }))
	add(c.Start != nil, "strength", texts.T("Strength"), "0.4-1 (+0.2)", decimals("strength ", func(s *settings.Settings, v float64) { s.Strength = v }))
	add(len(c.Structures) > 0, "structure", texts.T("Structure weight"), "0-1 (+0.5)", decimals("structure ", setStructures))
	add(len(c.Settings.LoRAs)+len(tags) > 0, "lora", texts.T("LoRA weight"), "0-1 (+0.5)", decimals("LoRA ", setLoRAs))
	return kinds
}

func setSeed(s *settings.Settings, n int) { s.Seed = uint64(max(0, n)) }

func setWeights(s *settings.Settings, v float64) {
	for _, a := range s.IPAdapters() {
		a.Lambda = v
	}
}

func setLoRAs(s *settings.Settings, v float64) {
	for i := range s.LoRAs {
		s.LoRAs[i].Scale, s.LoRAs[i].TextEncoder = v, nil
	}
}

func setStructures(s *settings.Settings, v float64) {
	for _, g := range s.Guides {
		switch g := g.(type) {
		case *settings.ControlNet:
			g.Lambda = v
		case *settings.T2IAdapter:
			g.Lambda = v
		}
	}
}

// GridModels lists the models that can take the place of the chosen one in a grid: adapters and maps that fit one of them
// fit all.
func (c *Chooser) GridModels() (list []Choice) {
	for _, m := range c.Models() {
		if c.Chosen.ID != "" && m.CrossDim == c.Chosen.CrossDim && m.InChannels == c.Chosen.InChannels && m.WithoutVAE == c.Chosen.WithoutVAE {
			list = append(list, m)
		}
	}
	return list
}

func namesOf(models []Choice) (list []string) {
	for _, m := range models {
		list = append(list, m.Name)
	}
	return list
}

func idsOf(models []Choice) (list []string) {
	for _, m := range models {
		list = append(list, m.ID)
	}
	return list
}

// schedulers reads the names of schedulers.
func schedulers(text string, _ settings.Settings) ([]point, error) {
	var labels, ids []string
	for _, o := range scheduler.All() {
		labels, ids = append(labels, o.Label), append(ids, o.Name)
	}
	return namedIn(text, texts.T("scheduler"), labels, ids, func(s *settings.Settings, id string) { s.Scheduler = id })
}

// namedIn reads a list of names, each a label or an id of what there is. A name may be shortened, as long as it is that of
// one thing only.
func namedIn(text, what string, labels, ids []string, set func(s *settings.Settings, id string)) (points []point, err error) {
	for _, name := range commas(text) {
		var whole, part []string // the labels that are like the name
		at := -1
		for i, label := range labels {
			if strings.EqualFold(label, name) || strings.EqualFold(ids[i], name) {
				whole, at = append(whole, label), i
			}
		}
		for i, label := range labels {
			if strings.Contains(strings.ToLower(label+"\n"+ids[i]), strings.ToLower(name)) {
				part = append(part, label)
				if whole == nil {
					at = i
				}
			}
		}
		if whole == nil {
			whole = part
		}
		if whole == nil {
			whole = labels
		}
		if len(whole) != 1 || at < 0 {
			return nil, texts.Errorf("%q is not the name of one %s: choose from %s", name, what, strings.Join(whole, ", "))
		}
		id := ids[at]
		points = append(points, point{labels[at], func(s *settings.Settings) { set(s, id) }})
	}
	return points, nil
}

// replacements reads words, of which the first is in the prompt and is replaced by each of them.
func replacements(text string, s settings.Settings) (points []point, err error) {
	list := commas(text)
	if len(list) == 0 {
		return nil, nil
	}
	was := list[0]
	if !strings.Contains(s.Prompt, was) && !strings.Contains(s.NegativePrompt, was) {
		return nil, texts.Errorf("%q is not in the prompt: the first of the words is what the others replace", was)
	}
	for _, words := range list {
		points = append(points, point{words, func(s *settings.Settings) {
			s.Prompt, s.NegativePrompt = strings.ReplaceAll(s.Prompt, was, words), strings.ReplaceAll(s.NegativePrompt, was, words)
		}})
	}
	return points, nil
}

// ForGrid returns a request for a picture of each value of an axis, or of each pair of values of two. A model is loaded
// for a row at a time.
func (c *Composer) ForGrid(model string, fit []Adapter, models []Choice) (Request, error) {
	axes := slices.DeleteFunc(slices.Clone(c.Axes[:]), func(a Axis) bool { return a.Kind == "" })
	if len(axes) == 2 && axes[0].Kind == "model" {
		axes[0], axes[1] = axes[1], axes[0]
	}
	kinds := c.allAxes(models)
	s, inputs := c.compose(model, fit)
	var points [2][]point
	for i, a := range axes {
		k, ok := first(kinds, func(k AxisKind) bool { return k.Kind == a.Kind })
		if !k.offered {
			label := a.Kind // an image prompt's weight, where there are fewer image prompts
			if ok {
				label = k.Label
			}
			return Request{}, texts.Errorf("there is nothing composed that the %s axis could change", label)
		}
		list, err := k.parse(a.Values, s)
		switch {
		case err != nil:
			return Request{}, fmt.Errorf("%s: %w", k.Label, err)
		case len(list) == 0:
			return Request{}, texts.Errorf("%s has no values: type some, for example %s", k.Label, k.Example)
		}
		points[i] = list
	}
	if n := len(points[0]) * max(1, len(points[1])); n > maxGrid {
		return Request{}, texts.Errorf("these are %d pictures; a grid has at most %d", n, maxGrid)
	}
	if len(axes) == 0 {
		return Request{}, texts.Errorf("choose what differs between the pictures first")
	}
	return gridOf(s, inputs, points[0], points[1]), nil
}

// GridProblem is the problem of a grid that ForGrid refused.
func (c *Composer) GridProblem(err error) Problem {
	if c.Axes == [2]Axis{} {
		return problem(err.Error())
	}
	return problem(err.Error(), Remedy{Mend: UseExample})
}

// UseExamples gives those axes values that can be drawn whose own cannot be, or all, if they are too many.
func (c *Composer) UseExamples(models []Choice) {
	s := c.Settings
	var examples [2]string
	for i, a := range c.Axes {
		for _, k := range c.AxisKinds(models) {
			if k.Kind != a.Kind {
				continue
			}
			examples[i] = k.Example
			if list, err := k.parse(a.Values, s); err != nil || len(list) == 0 {
				c.Axes[i].Values = k.Example
			}
		}
	}
	if c.GridSize(models) > maxGrid {
		c.Axes[0].Values, c.Axes[1].Values = examples[0], examples[1]
	}
	delete(c.Problems, AtGrid)
}

// GridSize returns how many pictures the grid has that is asked for now; 0 if it is not known.
func (c *Composer) GridSize(models []Choice) int {
	n, kinds := 0, c.AxisKinds(models)
	for _, a := range c.Axes {
		if k, ok := first(kinds, func(k AxisKind) bool { return k.Kind == a.Kind }); ok {
			list, err := k.parse(a.Values, c.Settings)
			if err != nil || len(list) == 0 {
				return 0
			}
			n = max(1, n) * len(list)
		}
	}
	return n
}

// gridOf returns a request for pictures of all pairs of columns and rows. Without rows it is a strip.
func gridOf(s settings.Settings, inputs map[string]Input, columns, rows []point) Request {
	s.NumImages = 1
	r := Request{Inputs: maps.Clone(inputs)}
	for _, c := range columns {
		r.Grid.Columns = append(r.Grid.Columns, c.label)
	}
	for _, row := range rows {
		r.Grid.Rows = append(r.Grid.Rows, row.label)
	}
	if len(rows) == 0 {
		rows = []point{{"", func(*settings.Settings) {}}}
	}
	for _, row := range rows {
		for _, column := range columns {
			job, label := s.Clone(), column.label
			row.apply(&job)
			column.apply(&job)
			if row.label != "" {
				label += " · " + row.label
			}
			r.Jobs = append(r.Jobs, job)
			r.Labels = append(r.Labels, label)
		}
	}
	return r
}
