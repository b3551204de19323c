package state

import (
	"math/rand/v2"
	"slices"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/texts"
	"github.com/imprompt/imprompt/model/imageproc/maps"
	"github.com/imprompt/imprompt/web"
)

// Composer is what the visitor puts together before a picture is made.
type Composer struct {
	// Settings has the words and everything else that one control sets. Its pictures and its model are empty,
	// because they are kept below and in the library.
	Settings   settings.Settings
	SeedLocked bool             // the seed is kept; otherwise each request rolls a new one
	Tokens     protocol.Counted // of the words
	Prompts    []*ImagePrompt
	Start      *Picture // what the result begins from; nil for text to image
	StartMask  Mask     // what of Start is repainted; empty is all of it
	Structures []*Structure
	Axes       [2]Axis           // of the grid that can be asked for
	Networks   func() []*Network // what reads maps for the chosen model; nil for none
	// MapNetworks returns the network of a way to make maps, which may not be here; nil for none.
	MapNetworks func(m *maps.Method) *Network
	Problems    Problems
	Lacking     *Group // what has to be downloaded before pictures can be made of this; nil for nothing

	followed, before [2]int             // the size that the start picture's shape led to, and the one before it
	borders          []settings.Borders // what the borders were, before each change of them
	making           MapRequest         // the map that is being made
	adjusted         *ImagePrompt       // the one whose further controls are shown; nil for none
	overStage        *Structure         // the one whose map was asked for over the stage; nil for none
	held             map[*Picture]int   // pictures that may come back, and how many steps of Undo have them
}

// ImagePrompt is a picture with how it is to be used.
type ImagePrompt struct {
	*Picture
	Scale      float64 // λ, the image weight
	Layers     string  // one of settings.LayersAll and its siblings
	Start, End float64 // of the steps, 0 to 1
	Adapter    string  // the adapter that was chosen; if it does not fit the model, the first that does is used
	Crop       Crop
	Mask       Mask // where in the result it works; empty is everywhere

	More    []*Part // further pictures for the same adapter
	Combine string  // what becomes of several pictures: one of settings.Combines
	Unlike  *Part   // a picture that the result should not be like; nil for none
	Tiled   string  // one of settings.Tilings; "" is the square of Crop
	// Kept says that Picture is a file of kept embeddings, which nobody can see.
	Kept bool
}

// Adapter is an IP-Adapter that fits the chosen model.
type Adapter struct {
	ID, Name string
	Encoder  string // the ID of its image encoder
}

// MaxPrompts is how many image prompts a Composer takes.
const MaxPrompts = 4

// NewComposer returns a composer with the settings that suit the model that ships.
func NewComposer() *Composer {
	c := &Composer{Settings: settings.Default(), Problems: Problems{}, held: map[*Picture]int{}}
	c.Settings.Scheduler, c.Settings.PromptWeights = "dpmpp_2m", true
	c.SuitModel(0)
	c.RollSeed()
	return c
}

// NewImagePrompt returns an image prompt with the page's defaults.
func NewImagePrompt(p *Picture) *ImagePrompt {
	return &ImagePrompt{Picture: p, Scale: 0.7, Layers: settings.LayersAll, End: 1, Crop: NewCrop(p.Width, p.Height), Combine: settings.CombineConcat}
}

// SuitModel sets the size, the steps and the guidance that suit a model trained on squares of so many pixels; 0 is
// the model that ships.
func (c *Composer) SuitModel(pixels int) {
	s := &c.Settings
	s.Outpaint, c.borders = settings.Borders{}, nil // they belong to the size
	s.Width, s.Height, s.NumInferenceSteps, s.GuidanceScale = pixels, pixels, 25, 7.5
	if pixels == 0 {
		s.Width, s.Height, s.NumInferenceSteps, s.GuidanceScale = web.Ships.Size, web.Ships.Size, web.Ships.NumInferenceSteps, web.Ships.GuidanceScale
	}
	c.follow()
}

// AddPrompt adds an image prompt, if there is room.
func (c *Composer) AddPrompt(im *ImagePrompt) {
	if c.Full() {
		for _, p := range im.pictures() {
			p.free()
		}
		c.Problems[AtPrompts] = problem(texts.F("There is room for %d image prompts: remove one first.", MaxPrompts), Remedy{RemoveLast, c.Prompts[MaxPrompts-1].Name})
		return
	}
	c.Prompts = append(c.Prompts, im)
	delete(c.Problems, AtPrompts)
}

// Full reports whether there is no room for another image prompt.
func (c *Composer) Full() bool { return len(c.Prompts) >= MaxPrompts }

// RemovePrompt removes an image prompt.
func (c *Composer) RemovePrompt(im *ImagePrompt) {
	if i := slices.Index(c.Prompts, im); i >= 0 {
		c.Prompts = slices.Delete(slices.Clone(c.Prompts), i, i+1)
		for _, p := range im.pictures() {
			c.drop(p)
		}
		delete(c.Problems, AtPrompts)
	}
}

// Adjust shows the further controls of an image prompt, or hides them if they are shown.
func (c *Composer) Adjust(im *ImagePrompt) {
	if c.adjusted == im {
		im = nil
	}
	c.adjusted = im
}

// Adjusted returns the index of the image prompt whose further controls are shown, or -1.
func (c *Composer) Adjusted() int { return slices.Index(c.Prompts, c.adjusted) }

// SetStart takes a picture to begin from; nil takes it away.
func (c *Composer) SetStart(p *Picture) {
	c.setBorders(settings.Borders{})
	c.borders = nil
	c.unfollow()
	old := c.Start
	c.Start, c.StartMask = p, Mask{}
	c.SetTileSize(0) // which was for the one before
	if old != p {
		c.drop(old)
	}
	c.follow()
	delete(c.Problems, AtStart)
}

// SetSeed sets a seed that the visitor wants, and so keeps it.
func (c *Composer) SetSeed(seed uint64) { c.Settings.Seed, c.SeedLocked = seed, true }

// Empty reports whether nothing was composed yet: no words and no pictures.
func (c *Composer) Empty() bool {
	return c.Settings.Prompt == "" && c.Settings.NegativePrompt == "" && len(c.Prompts) == 0 && len(c.Structures) == 0 && c.Start == nil
}

// RollSeed chooses a new seed.
func (c *Composer) RollSeed() { c.Settings.Seed = anySeed() }

func anySeed() uint64 { return uint64(rand.IntN(1 << 31)) }

// SetStart and SetEnd set the part of the steps in which an image prompt works, and keep its start before its end.
func (im *ImagePrompt) SetStart(v float64) { im.Start = min(clamp(v, 0, 1), im.End) }
func (im *ImagePrompt) SetEnd(v float64)   { im.End = max(clamp(v, 0, 1), im.Start) }

// AdapterOf returns the adapter that an image prompt is used with: the one that was chosen, or the first of those
// that fit. ok is false if none fits.
func (im *ImagePrompt) AdapterOf(fit []Adapter) (a Adapter, ok bool) {
	return first(fit,
		func(a Adapter) bool { return a.ID == im.Adapter },
		// A picture's file has the adapter's name without what may be secret in it.
		func(a Adapter) bool { return settings.PublicName(a.ID) == im.Adapter },
		func(Adapter) bool { return true },
	)
}

// first returns the first of a list for which the first test holds; if there is none, for which the next test holds,
// and so on. ok is false if none holds for any.
func first[T any](list []T, tests ...func(T) bool) (found T, ok bool) {
	for _, test := range tests {
		if i := slices.IndexFunc(list, test); i >= 0 {
			return list[i], true
		}
	}
	return found, false
}

// Shortened is a text that is shown, of which the beginning is enough.
func Shortened(text string) string {
	const most = 300
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}
