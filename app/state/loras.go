package state

import (
	"slices"
	"strings"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/web"
)

// LoRA is a LoRA that can be used with the chosen model.
type LoRA struct {
	ID, Name string
	Title    string   // the name that it was trained under; "" where that is not known
	Triggers []string // words that call it
	Hash     string   // of its tensors, by which A1111 knows it
	SHA256   string   // of its file, by which Civitai knows it; "" where its publisher did not tell it
}

// LoRAs lists those that can be used with the chosen model. Those of other people's models do not fit the one that
// ships, which is smaller.
func (c *Chooser) LoRAs() (list []LoRA) {
	if c.Chosen.ID == "" {
		for _, l := range web.Ships.LoRAs {
			list = append(list, LoRA{ID: l.File, Name: l.Name, Triggers: l.Triggers})
		}
		return list
	}
	for _, item := range whole(c.stored, loader.KindLoRA) {
		l := LoRA{ID: item.ID, Name: settings.WeightsName(item.Name)}
		if item.LoRA != nil {
			l.Title, l.Triggers, l.Hash = item.LoRA.Title, item.LoRA.Triggers, item.LoRA.Hash
		}
		if len(item.Files) == 1 {
			l.SHA256 = strings.ToLower(item.Files[0].SHA256)
		}
		list = append(list, l)
	}
	return list
}

// FindLoRA finds the LoRA that settings, a picture's text, or a tag in the words mean: by its ID, its name, or its
// hash.
func (c *Chooser) FindLoRA(l settings.LoRA) (LoRA, bool) {
	return first(c.LoRAs(),
		func(o LoRA) bool { return o.ID == l.Weights },
		func(o LoRA) bool { return settings.PublicName(o.ID) == l.Weights },
		func(o LoRA) bool {
			return settings.WeightsName(o.ID) == l.Name() || o.Name == l.Name() || o.Title == l.Name()
		},
		func(o LoRA) bool {
			return l.Hash != "" && (strings.HasPrefix(o.Hash, l.Hash) || strings.HasPrefix(o.SHA256, l.Hash))
		},
	)
}

// ResolveLoRAs makes the LoRAs that settings name those that are here. It leaves what is not here as it is.
func (c *Chooser) ResolveLoRAs(s *settings.Settings) {
	s.LoRAs = slices.Clone(s.LoRAs)
	for i := range s.LoRAs {
		l := &s.LoRAs[i]
		if found, ok := c.FindLoRA(*l); ok {
			l.Weights, l.Hash = found.ID, found.Hash
		}
	}
}

// loraProblem says which LoRA of a request is missing; "" for none.
func (c *Chooser) loraProblem(s settings.Settings) string {
	for _, l := range s.LoRAs {
		if _, ok := c.FindLoRA(l); ok {
			continue
		}
		if c.Chosen.ID == "" {
			return texts.F("The style %s is not one of the model that ships: choose another model, or remove the style under Styles or from the words.", l.Name())
		}
		return texts.F("The style (LoRA) %s is not here: add its file in Models, or remove it under Styles or from the words.", l.Name())
	}
	return ""
}

// AddLoRA adds a LoRA at its full strength, unless it is there.
func (c *Composer) AddLoRA(id string) {
	if !slices.ContainsFunc(c.Settings.LoRAs, func(l settings.LoRA) bool { return l.Weights == id }) {
		c.Settings.LoRAs = append(slices.Clip(c.Settings.LoRAs), settings.LoRA{Weights: id, Scale: 1})
	}
}

// RemoveLoRA removes the LoRA at a place.
func (c *Composer) RemoveLoRA(index int) {
	c.Settings.LoRAs = slices.Delete(slices.Clone(c.Settings.LoRAs), index, index+1)
}

// Say adds words to the prompt, unless they are in it.
func (c *Composer) Say(words string) {
	if prompt := &c.Settings.Prompt; !strings.Contains(*prompt, words) {
		*prompt = joined(*prompt, words)
	}
}

// joined adds words to a prompt.
func joined(prompt, words string) string {
	if prompt = strings.TrimRight(prompt, " ,"); prompt != "" {
		prompt += ", "
	}
	return prompt + words
}
