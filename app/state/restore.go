package state

import (
	"strings"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/texts"
)

// Restore takes over settings, except for their pictures and their model.
func (c *Composer) Restore(s settings.Settings) {
	if s.InitImage != "" && s.ResizeMode == "" {
		s.ResizeMode = settings.ResizeDefault // which is what "" did to it
	}
	s.Guides, s.InitImage, s.Mask, s.Model, s.Foreign = nil, "", "", "", false
	s.TextualInversions, s.TextualInversionHashes = nil, nil // the words call them
	s.PreviewVAE = c.Settings.PreviewVAE                     // which no picture carries
	if s.Scheduler == "" {
		s.Scheduler = "pndm" // the scheduler of Stable Diffusion 1.5's own configuration
	}
	c.Settings, c.SeedLocked, c.borders = s, true, nil
	c.Problems = Problems{}
}

// RestoreWeights makes what settings name besides the model something that is here. leftOut says what is not. It does
// nothing while it is not known what is stored.
func (l *Library) RestoreWeights(s *settings.Settings) (leftOut []string) {
	if !l.Ready {
		return nil
	}
	leftOut = l.missingEmbeddings(*s)
	if v, ok := l.VAEOf(*s); ok && s.VAE != "" && v.Here {
		s.VAE = v.ID
	} else if s.VAE != "" {
		leftOut = append(leftOut, texts.F("the VAE %s, which is not here", s.VAE))
		s.VAE, s.VAEHash = "", ""
	}
	return leftOut
}

// RestoreFile takes over the settings that a PNG carried. A PNG names its image prompts but does not contain them, so
// what it says of them goes to the image prompts that are here. leftOut is what could not be read or is missing. It
// returns what to tell the visitor.
func (c *Composer) RestoreFile(name string, s settings.Settings, leftOut []string) (note string) {
	c.Restore(s)
	note = texts.F("Settings restored from %s.", name)
	if len(leftOut) > 0 {
		note = texts.F("Settings restored from %s, except for: %s.", name, strings.Join(leftOut, "; "))
	}
	for i, a := range s.IPAdapters() {
		if i < len(c.Prompts) {
			c.Prompts[i].restore(a)
		}
	}
	maps := 0
	for _, g := range s.Guides {
		list, _ := restored(g)
		for _, read := range list {
			if maps < len(c.Structures) {
				c.Structures[maps].takeOver(read)
			}
			maps++
		}
	}
	if maps > len(c.Structures) {
		note += " " + texts.T("Add its maps again under Structure: the file has only their names.")
	}
	if len(s.IPAdapters()) > len(c.Prompts) {
		note += " " + texts.T("Add its image prompts again: the file has only their names.")
	}
	return note
}

// Pictures are the pictures of a composition: what Restore leaves out.
type Pictures struct {
	Prompts    []*ImagePrompt
	Structures []*Structure
	Start      *Picture
	StartMask  Mask
}

// ReadInputs returns the bytes of the pictures that a result was made from, which may be in the store only. It may be called
// outside of the page's own goroutine.
func (r *Result) ReadInputs(store Store) (map[string]any, error) {
	if r.Inputs != nil || len(r.Kept) == 0 {
		return r.Inputs, nil
	}
	return store.Inputs(r)
}

// Pictures reads the pictures that a result was made from. It does not touch other states, and may be called outside
// of the page's own goroutine.
func (r *Result) Pictures(store Store, browser Browser) (Pictures, error) {
	var p Pictures
	inputs, err := r.ReadInputs(store)
	if err != nil {
		return p, err
	}
	read := reader{inputs, browser}
	for _, a := range r.Settings.IPAdapters() {
		mask, err := read.mask(a.Mask)
		if err != nil {
			return p, err
		}
		im, err := read.prompt(a)
		if err != nil {
			return p, err
		}
		if im != nil {
			im.restore(a)
			im.Mask = mask
			p.Prompts = append(p.Prompts, im)
		}
	}
	for _, g := range r.Settings.Guides {
		list, names := restored(g)
		for i, s := range list {
			var err error
			if s.Picture, err = read.picture(names[i]); err != nil {
				return p, err
			}
			p.Structures = append(p.Structures, s)
		}
	}
	if r.Settings.InitImage == "" {
		return p, nil
	}
	if p.Start, err = read.picture(r.Settings.InitImage); err == nil {
		p.StartMask, err = read.mask(r.Settings.Mask)
	}
	return p, err
}

// Discard gives the pictures back to the browser when they are not wanted any more.
func (p Pictures) Discard() {
	for _, im := range p.Prompts {
		for _, picture := range im.pictures() {
			picture.free()
		}
	}
	for _, s := range p.Structures {
		s.free()
	}
	p.Start.free()
}

// RestorePictures takes over the pictures of a result.
func (c *Composer) RestorePictures(p Pictures) {
	before := c.pictures()
	c.Prompts, c.Structures, c.Start, c.StartMask, c.followed = p.Prompts, p.Structures, p.Start, p.StartMask, [2]int{}
	for _, old := range before {
		c.drop(old)
	}
}

// reader decodes the inputs of a result.
type reader struct {
	inputs  map[string]any
	browser Browser
}

func (r reader) picture(name string) (*Picture, error) {
	data, ok := r.inputs[name]
	if !ok {
		return nil, texts.Errorf("%s is not stored here", name)
	}
	return r.browser.Admit(plainName(name), data)
}

// plainName is the name of a picture without the number, or "start", that compose put before it.
func plainName(name string) string {
	_, plain, _ := strings.Cut(name, "-")
	return plain
}

func (r reader) mask(name string) (Mask, error) {
	if name == "" {
		return Mask{}, nil
	}
	data, ok := r.inputs[name]
	if !ok {
		return Mask{}, texts.Errorf("the mask %s is not stored here", name)
	}
	bitmap, err := r.browser.Bitmap(data)
	if err != nil {
		return Mask{}, err
	}
	return Mask{Base: &Base{Bitmap: bitmap, PNG: data}}, nil
}
