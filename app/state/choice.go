package state

import (
	"slices"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
	"github.com/imprompt/imprompt/web"
)

// Choice is the model that is used. It is remembered over visits. The zero value is the model that ships.
type Choice struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Pixels     int    `json:"pixels"`      // the size that it was trained for; 0 where that is not known
	InChannels int    `json:"in_channels"` // of its UNet: 9 for inpainting
	CrossDim   int    `json:"cross_dim"`   // its cross_attention_dim, which tells the adapters that fit
	WithoutVAE bool   `json:"without_vae"` // it draws with another VAE only
}

func choiceOf(item store.Item) Choice {
	return Choice{item.ID, item.Name, item.Pixels, item.InChannels, item.CrossDim, item.WithoutVAE}
}

// Repaints reports whether the model needs a start picture with a mask.
func (c Choice) Repaints() bool { return c.InChannels == 9 }

// TrainedFor returns the width and height that suit the model; 0 is the model that ships.
func (c Choice) TrainedFor() int {
	if c.ID != "" && c.Pixels <= 0 {
		return 512
	}
	return c.Pixels
}

// TrainedFor returns the width and height that suit a model by its ID; 0 is the model that ships.
func (c *Chooser) TrainedFor(model string) int {
	for _, item := range c.stored.Items {
		if item.ID == model {
			return choiceOf(item).TrainedFor()
		}
	}
	return Choice{ID: model}.TrainedFor()
}

// Chooser is which model is used, and what there is to choose from.
type Chooser struct {
	Chosen  Choice
	outside Outside
	stored  store.Library
	handles map[string]any // FileSystemFileHandles of the records that are read from the disk
}

// ShippedAdapters are the adapters of the model that ships.
func ShippedAdapters() (list []Adapter) {
	for _, a := range web.Ships.Adapters {
		list = append(list, Adapter{ID: a.File, Name: a.Name})
	}
	return list
}

// Choose uses another model from now on, and reports whether it is here: "" is the one that ships.
func (c *Chooser) Choose(id string) bool {
	var chosen Choice
	if id != "" {
		item := find(c.stored, id)
		if item == nil || !item.Complete || item.Kind != loader.KindModel {
			return false
		}
		chosen = choiceOf(*item)
	}
	if chosen != c.Chosen {
		c.Chosen = chosen
		c.outside.Remember("model", chosen)
		c.outside.ModelChosen(chosen)
	}
	return true
}

// Restore uses the model that restored settings name. If it is not here, it says so. Settings of another program name
// none that could be known here, and leave the model as it is.
func (c *Chooser) Restore(s settings.Settings) (leftOut string) {
	id := s.Model
	if s.Foreign || id == c.Chosen.ID || c.Choose(id) {
		return ""
	}
	// A picture's file has the model's name without what may be secret in it.
	for _, m := range c.Models() {
		if settings.PublicName(m.ID) == id && (m.ID == c.Chosen.ID || c.Choose(m.ID)) {
			return ""
		}
	}
	return texts.F("the model %s, which is not here (see Models)", id)
}

// Models lists the models that can be chosen, besides the one that ships.
func (c *Chooser) Models() []Choice {
	var list []Choice
	for _, item := range whole(c.stored, loader.KindModel) {
		list = append(list, choiceOf(item))
	}
	if c.Chosen.ID != "" && !slices.ContainsFunc(list, func(m Choice) bool { return m.ID == c.Chosen.ID }) {
		list = append(list, c.Chosen) // the worker has not answered yet
	}
	return list
}

// modelOf returns the model that settings name; ok is false if it is not here.
func (c *Chooser) modelOf(s settings.Settings) (m Choice, ok bool) {
	return first(append(c.Models(), Choice{}), func(m Choice) bool { return m.ID == s.Model })
}

// Adapters lists the adapters that fit the chosen model, each with the image encoder that it is used with.
func (c *Chooser) Adapters() []Adapter { return c.adaptersOf(c.Chosen) }

// AdaptersOf lists those that fit the model that settings name.
func (c *Chooser) AdaptersOf(s settings.Settings) []Adapter {
	m, _ := c.modelOf(s)
	return c.adaptersOf(m)
}

func (c *Chooser) adaptersOf(m Choice) []Adapter {
	if m.ID == "" {
		return ShippedAdapters()
	}
	encoders := whole(c.stored, loader.KindImageEncoder)
	var list []Adapter
	for _, a := range whole(c.stored, loader.KindIPAdapter) {
		if a.CrossDim != m.CrossDim && a.CrossDim != 0 && m.CrossDim != 0 {
			continue
		}
		list = append(list, Adapter{ID: a.ID, Name: a.Name, Encoder: encoderFor(a, encoders)})
	}
	return list
}

// encoderFor is the image encoder that an adapter needs, or else any. CLIP ViT-L/14, which no well-known adapter needs, comes last.
func encoderFor(adapter store.Item, encoders []store.Item) string {
	for _, fits := range []func(width int) bool{func(width int) bool { return width != clipLWidth }, func(int) bool { return true }} {
		if id := encoderThat(encoders, adapter.Needs, fits); id != "" {
			return id
		}
	}
	return ""
}

// encoderThat is the image encoder with an ID, or else the first whose width fits; "" for none.
func encoderThat(encoders []store.Item, id string, fits func(width int) bool) (found string) {
	for i := range encoders {
		switch e := &encoders[i]; {
		case e.ID == id:
			return id
		case found == "" && fits(e.Width):
			found = e.ID
		}
	}
	return found
}

// elsewhereProblem says what a model that is not chosen lacks to draw a picture like one that it has drawn; "" for nothing.
func (c *Chooser) elsewhereProblem(s settings.Settings) string {
	m, here := c.modelOf(s)
	if !here {
		return texts.F("This picture was made with the model %s, which is not here: bring it back in Models.", ModelName(s.Model))
	}
	return c.promptProblem(s, m)
}

// startProblem says what the chosen model lacks of a start picture; "" for nothing.
func (c *Chooser) startProblem(s settings.Settings) string {
	switch name := c.Chosen.Name; {
	case c.Chosen.Repaints() && s.InitImage == "":
		return texts.F("%s repaints a part of a picture: add a start picture, and paint on it the part to be repainted.", name)
	case c.Chosen.Repaints() && !s.Repaints():
		return texts.F("%s repaints a part of a picture: open \"Repaint a part\" below the start picture, and paint over the part to be repainted.", name)
	}
	return ""
}

// promptProblem says what a model still lacks for the image prompts of a request; "" for nothing.
func (c *Chooser) promptProblem(s settings.Settings, m Choice) string {
	switch {
	case len(s.IPAdapters()) == 0 || m.ID == "":
		return ""
	case len(c.adaptersOf(m)) == 0:
		return texts.F("An image prompt needs an IP-Adapter that fits %s: download one in Models, or remove the image prompts.", m.Name)
	case encodes(s) && len(whole(c.stored, loader.KindImageEncoder)) == 0:
		return texts.T("An IP-Adapter needs the CLIP image encoder: download it in Models, or remove the image prompts.")
	}
	return ""
}

// encodes reports whether a request has image prompts that an image encoder has to see.
func encodes(s settings.Settings) bool {
	return slices.ContainsFunc(s.IPAdapters(), func(a *settings.IPAdapter) bool { return a.Embeds == "" })
}

// Handles returns the handles of those files that a request reads from the disk, which the browser may ask the
// visitor about first.
func (c *Chooser) Handles(s settings.Settings) (list []any) {
	names := []string{s.Model}
	for _, g := range s.Guides {
		names = append(names, g.Files()...)
	}
	for _, l := range s.LoRAs {
		names = append(names, l.Weights)
	}
	names = append(append(names, s.VAE, s.PreviewVAE), s.TextualInversions...)
	for _, name := range names {
		if h := c.handles[name]; h != nil {
			list = append(list, h)
		}
	}
	return list
}
