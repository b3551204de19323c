package state

import (
	"fmt"
	"slices"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/texts"
)

// Request is what the composer asks to have generated: one picture, several, or a strip.
type Request struct {
	Labels  []string            // one for each picture that will come, in their order
	Jobs    []settings.Settings // generated one after the other; each yields NumImages pictures
	Inputs  map[string]Input    // the pictures that the settings name
	Grid    Grid                // how the pictures are laid out
	Of      *Result             // what the pictures are to be like, also in their model; nil for what is composed
	LeftOut string              // what could not be taken over, in words for the visitor; "" for nothing
}

// What the labels of strips begin with.
const (
	weightLabel = "λ = "
	seedLabel   = "seed "
)

// ForPicture returns a request for the pictures that the controls describe. model is the chosen model's ID, and fit
// the adapters that fit it.
func (c *Composer) ForPicture(model string, fit []Adapter) Request {
	s, inputs := c.compose(model, fit)
	return batch(s, inputs)
}

// batch returns a request for the pictures that settings describe.
func batch(s settings.Settings, inputs map[string]Input) Request {
	r := Request{Jobs: []settings.Settings{s}, Inputs: inputs}
	for i := range s.NumImages {
		r.Labels = append(r.Labels, fmt.Sprintf("%d of %d", i+1, s.NumImages))
	}
	return r
}

// ForWeightStrip returns a request for one seed at five image weights in a row, like the paper's figures.
func (c *Composer) ForWeightStrip(model string, fit []Adapter) Request {
	return c.strip(model, fit, decimals(weightLabel, setWeights), func(settings.Settings) string { return "0-1 (+0.25)" })
}

// ForSeedStrip returns a request for the same settings with five seeds in a row.
func (c *Composer) ForSeedStrip(model string, fit []Adapter) Request {
	return c.strip(model, fit, wholes(seedLabel+"%d", setSeed), func(s settings.Settings) string { return fmt.Sprintf("%d-%d", s.Seed, s.Seed+4) })
}

// strip returns a request for a picture of each value of one axis.
func (c *Composer) strip(model string, fit []Adapter, parse func(string, settings.Settings) ([]point, error), values func(settings.Settings) string) Request {
	s, inputs := c.compose(model, fit)
	points, _ := parse(values(s), s) // they are ours
	return gridOf(s, inputs, points, nil)
}

// Resolve makes the files that a request names those that are here, and names the embeddings that its words call.
func (l *Library) Resolve(r *Request) {
	for i := range r.Jobs {
		l.ResolveLoRAs(&r.Jobs[i])
		l.resolveEmbeddings(&r.Jobs[i])
		l.resolveVAE(&r.Jobs[i])
		l.resolvePreview(&r.Jobs[i])
	}
}

// Problem says why a request cannot be generated, and where that is put right; none if it can.
func (r Request) Problem(l *Library) Problem {
	for _, s := range r.Jobs {
		if s.MergesReference() {
			return problem(texts.T("Merged tokens do not work with a picture under Structure that is followed as it is (reference-only). Set Merged tokens to 0, or remove that picture."), Remedy{OpenPanel, InSettings})
		}
		if err := s.Validate(); err != nil {
			return problem(err.Error(), Remedy{OpenPanel, InSettings})
		}
	}
	for _, name := range r.Jobs[0].Pictures() {
		if _, ok := r.Inputs[name]; !ok && r.Of != nil {
			return problem(texts.F("%s, from which this picture was made, is not stored here.", plainName(name)))
		}
	}
	if r.elsewhere(l) {
		return problem(l.elsewhereProblem(r.Jobs[0]), Remedy{OpenPanel, InModels})
	}
	return l.Problem(r.Jobs[0])
}

// elsewhere reports whether the pictures are to be like one of another model than the chosen one.
func (r Request) elsewhere(l *Library) bool { return r.Of != nil && r.Jobs[0].Model != l.Chosen.ID }

// Lacks returns what would have to be downloaded for a request, if the catalogue has it.
func (r Request) Lacks(l *Library) (g Group, ok bool) {
	if r.elsewhere(l) {
		return g, false
	}
	return l.Lacks(r.Jobs[0])
}

// Problem says what is missing for a picture, and where that is put right; none for nothing.
func (l *Library) Problem(s settings.Settings) Problem {
	structure, _ := l.structureProblem(s)
	for _, check := range []struct {
		text, panel string
	}{
		{structure, InStructure},
		{l.vaeProblem(s), InSettings},
		{l.loraProblem(s), InStyles},
		{l.startProblem(s), InStart},
		{l.promptProblem(s, l.Chosen), InModels},
	} {
		if check.text != "" {
			return problem(check.text, Remedy{OpenPanel, check.panel})
		}
	}
	return Problem{}
}

// compose writes what the controls say as settings, with the pictures beside them. It rolls a new seed first, unless
// the visitor keeps one.
func (c *Composer) compose(model string, fit []Adapter) (settings.Settings, map[string]Input) {
	if !c.SeedLocked {
		c.RollSeed()
	}
	s := c.Settings
	s.Guides, s.InitImage, s.Mask, s.Model, s.ResizeMode = nil, "", "", model, c.resizeMode()
	passes(&s, c.Start != nil)
	words, loras, _ := settings.CutLoRAs(s.Prompt)
	s.Prompt, s.LoRAs = words, append(slices.Clone(s.LoRAs), loras...)
	inputs := map[string]Input{}
	for i, im := range c.Prompts {
		a := im.guideWith(i+1, fit, inputs)
		if !im.Mask.Empty() {
			a.Mask = fmt.Sprintf("mask-%d.png", i+1)
			inputs[a.Mask] = Input{Mask: im.Mask.Copy(), Width: s.Width, Height: s.Height}
		}
		s.Guides = append(s.Guides, a)
	}
	for i, m := range c.Structures {
		name := fmt.Sprintf("map%d-%s", i+1, m.Name)
		inputs[name] = Input{Bytes: m.Bytes}
		n, _ := m.NetworkOf(c.networks())
		preprocessor := m.PreprocessorOf(c.networks())
		if n.ReadsMap() && m.Painted() && m.Map.Base != nil {
			delete(inputs, name)
			name, preprocessor = fmt.Sprintf("map%d-painted.png", i+1), ""
			inputs[name] = Input{Mask: m.Map.Copy(), Width: s.Width, Height: s.Height}
		}
		weights := ""
		if n, needed := c.MapNetwork(m); needed && preprocessor != "" {
			weights = n.ID
		}
		s.Guides = c.Lead(m).guide(s.Guides, name, preprocessor, weights, n)
	}
	if c.Start != nil {
		s.InitImage = "start-" + c.Start.Name
		inputs[s.InitImage] = Input{Bytes: c.Start.Bytes}
		if !c.StartMask.Empty() {
			s.Mask = "mask-start.png"
			width, height := s.InitSize()
			inputs[s.Mask] = Input{Mask: c.StartMask.Copy(), Width: width, Height: height}
		}
	} else {
		s.Outpaint = settings.Borders{}
	}
	return s, inputs
}
