package settings

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/imprompt/imprompt/model/scheduler"
)

// Settings are one request for pictures. Input pictures are only named here. Their files
// travel separately, as the person gave them.
type Settings struct {
	Model string `json:"model,omitempty"` // "" is the model that ships
	VAE   string `json:"vae,omitempty"`   // a VAE, or a tiny autoencoder, to use in place of the model's own; "" is none
	// VAEHash is what A1111 knows the VAE's file by: the first 10 digits of its SHA-256. "" means that it is not known.
	VAEHash        string `json:"vae_hash,omitempty"`
	Prompt         string `json:"prompt"`
	NegativePrompt string `json:"negative_prompt"`
	// PromptWeights reads the markup of both prompts, as in (fox:1.3), and reads prompts of any
	// length (package prompt). Without it they are read literally, and cut where diffusers cuts them.
	PromptWeights bool `json:"prompt_weights,omitempty"`
	// ClipSkip is how many of the text encoder's last layers are left out, as in diffusers; A1111
	// counts from 1. Without PromptWeights it applies to the prompt alone, as in diffusers, and with
	// it to both prompts, as in A1111.
	ClipSkip          int      `json:"clip_skip,omitempty"`
	TextualInversions []string `json:"textual_inversions,omitempty"` // files of embeddings, which their names in the prompts stand for
	// TextualInversionHashes are what A1111 knows those files by, 12 hexadecimal digits of their
	// SHA-256, by their names in TextualInversions.
	TextualInversionHashes map[string]string `json:"textual_inversion_hashes,omitempty"`
	Guides                 Guides            `json:"guides,omitempty"` // what steers the picture besides words
	LoRAs                  []LoRA            `json:"loras,omitempty"`  // what changes the model's weights

	InitImage string  `json:"init_image,omitempty"` // the picture's name; "" is text to image
	Strength  float64 `json:"strength"`             // the fraction of the steps that is run: near 0 leaves InitImage as it is, 1 ignores it
	Mask      string  `json:"mask,omitempty"`       // white is repainted; needs InitImage
	// MaskOverlay puts the pixels of InitImage back where nothing is repainted. Inside the mask's edge they fade out
	// over MaskFeather pixels.
	MaskOverlay bool `json:"mask_overlay"`
	MaskFeather int  `json:"mask_feather"`
	// ResizeMode is how InitImage and Mask are brought to their size (InitSize) if they have other proportions: one of
	// ResizeModes. "" does what ResizeDefault does, and warns, because nobody chose that.
	ResizeMode string `json:"resize_mode,omitempty"`
	// Outpaint is what is painted around InitImage. It belongs to the result's size, so that InitImage has the rest of it.
	Outpaint Borders `json:"outpaint,omitzero"`

	Scheduler         string  `json:"scheduler"` // the name of a scheduler.Scheduler; "" is the model's own
	NumInferenceSteps int     `json:"num_inference_steps"`
	Eta               float64 `json:"eta,omitempty"`  // how much of a step is fresh noise, 0 to 1: scheduler.Options.Eta
	GuidanceScale     float64 `json:"guidance_scale"` // 1 or less: no negative prompt, half the work
	// GuidanceStart and GuidanceStop are the fractions of the steps between which guidance works (diffusers'
	// ClassifierFreeGuidance). The other steps take half the time. A stop of 0 means 1.
	GuidanceStart float64 `json:"guidance_start,omitempty"`
	GuidanceStop  float64 `json:"guidance_stop,omitempty"`
	// CacheInterval is DeepCache's: one in so many steps computes the whole UNet, and the others reuse most of its
	// result. 0 means 1, which reuses nothing.
	CacheInterval int `json:"cache_interval,omitempty"`
	// TomeRatio is the share of the tokens that token merging (ToMe) merges with similar ones in the self-attentions at
	// the latents' size: tomesd's ratio, and A1111's "Token merging ratio". 0 merges none, and 0.75 is the most.
	TomeRatio float64 `json:"tome_ratio,omitempty"`
	Height    int     `json:"height"` // pixels
	Width     int     `json:"width"`  // pixels
	Seed      uint64  `json:"seed"`   // of the first picture; see PictureSeeds
	NumImages int     `json:"num_images"`
	// VariationSeed is of the noise towards which the seed's is turned, by VariationStrength from 0 (not at all) to 1 (it takes
	// its place), as A1111's variation seed does: random.Slerp.
	VariationSeed     uint64  `json:"variation_seed,omitempty"`
	VariationStrength float64 `json:"variation_strength,omitempty"`
	// GeneratorDevice is where torch would draw the noise: GeneratorCPU, as in diffusers'
	// examples, or GeneratorGPU, as in AUTOMATIC1111's web UI. "" means GeneratorCPU.
	GeneratorDevice string `json:"generator_device,omitempty"`
	// Background is the colour behind transparent pictures, as in #ffffff; "" is white.
	Background string `json:"background,omitempty"`

	// PreviewVAE is a tiny autoencoder that draws the previews; "" draws one colour for each
	// latent. It does not change the picture, and pictures do not carry it.
	PreviewVAE string `json:"preview_vae,omitempty"`

	// HiresScale is how many times as wide and as high a second pass draws the picture (A1111's "Hires. fix"): it enlarges
	// the latents of the first pass in the way HiresUpscaler, and draws them again with HiresStrength, as image to image.
	// 0 and 1 mean no second pass. The noise of the second pass is that of the same seed in its own size. A HiresStrength
	// of 0 means 0.7, and HiresSteps of 0 means NumInferenceSteps, of which the share HiresStrength is run.
	HiresScale    float64 `json:"hires_scale,omitempty"`
	HiresStrength float64 `json:"hires_strength,omitempty"`
	HiresSteps    int     `json:"hires_steps,omitempty"`
	HiresUpscaler string  `json:"hires_upscaler,omitempty"` // one of HiresUpscalers; "" is the first

	// TileSize has InitImage, enlarged to the result's size, drawn again in overlapping tiles of so many pixels (A1111's
	// script "SD upscale"), which are blended over TileOverlap pixels. 0 draws it at once.
	TileSize    int `json:"tile_size,omitempty"`
	TileOverlap int `json:"tile_overlap,omitempty"`

	// VAETiling has the VAE encode and decode in overlapping tiles (diffusers' enable_vae_tiling). It needs the memory of
	// a tile only, and changes colours. Without it, that is done where the GPU's memory asks for it, and the
	// picture's settings then have it.
	VAETiling bool `json:"vae_tiling,omitempty"`

	// LowMemory uses as little of the GPU's memory as possible, and takes more time. The
	// picture is the same, apart from rounding.
	LowMemory bool `json:"low_memory,omitempty"`

	// Foreign says that Parse read them from another program's text, which names no model in
	// the way that Model does.
	Foreign bool `json:"-"`
}

// The values of Settings.GeneratorDevice, besides "".
const (
	GeneratorCPU = "cpu"
	GeneratorGPU = "gpu"
)

// The values of Settings.ResizeMode. All but the last are diffusers' own.
const (
	ResizeDefault  = "default"  // stretched
	ResizeCrop     = "crop"     // two sides are cut off
	ResizeFill     = "fill"     // the borders are filled with the outermost pixels
	ResizeOutpaint = "outpaint" // as ResizeFill, and the borders are repainted
)

// ResizeModes are the values of Settings.ResizeMode besides "".
var ResizeModes = []string{ResizeDefault, ResizeCrop, ResizeFill, ResizeOutpaint}

// MaxMaskFeather is the greatest MaskFeather, in pixels.
const MaxMaskFeather = 128

// MaxTomeRatio is the greatest TomeRatio: one token in each square of 2 × 2 stays.
const MaxTomeRatio = 0.75

// Default returns diffusers' defaults, and those of what diffusers does not have.
func Default() Settings {
	return Settings{
		Strength:          0.8,
		MaskOverlay:       true,
		MaskFeather:       8,
		NumInferenceSteps: 50,
		GuidanceScale:     7.5,
		Height:            512,
		Width:             512,
		NumImages:         1,
	}
}

// Partial says that settings were read, but that some of what was there could not be
// used. The settings that come with it are good.
type Partial struct {
	LeftOut []string // a sentence each
}

func (p *Partial) Error() string {
	return "some settings could not be used: " + strings.Join(p.LeftOut, "; ")
}

// FromJSON reads settings. A field that is absent has its default. Unknown fields and
// kinds of guides are listed in a *Partial, which comes with good settings.
func FromJSON(text []byte) (Settings, error) {
	s := Default()
	if err := json.Unmarshal(text, &s); err != nil {
		return Default(), fmt.Errorf("these settings are damaged: %w", err)
	}
	var leftOut []string
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&saved{}); err != nil {
		leftOut = append(leftOut, strings.TrimPrefix(err.Error(), "json: ")+" (they were saved by a newer version)")
	}
	for _, kind := range unknownKinds(text) {
		leftOut = append(leftOut, fmt.Sprintf("a guide of the kind %q (they were saved by a newer version)", kind))
	}
	if leftOut != nil {
		return s, &Partial{leftOut}
	}
	return s, nil
}

// saved is the JSON of settings, with what older versions wrote.
type saved struct {
	fields
	IPAdapters []json.RawMessage `json:"ip_adapters"` // before there were Guides
}

type fields Settings

// UnmarshalJSON reads settings as this version or an older one wrote them. Absent
// fields keep their values.
func (s *Settings) UnmarshalJSON(text []byte) error {
	in := saved{fields: fields(*s)}
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	for _, one := range in.IPAdapters {
		a := DefaultIPAdapter()
		if err := json.Unmarshal(one, &a); err != nil {
			return err
		}
		in.Guides = append(in.Guides, &a)
	}
	*s = Settings(in.fields)
	return nil
}

// Clone returns a copy that shares no guides or LoRAs with s.
func (s Settings) Clone() Settings {
	s.Guides = s.Guides.clone()
	s.LoRAs = slices.Clone(s.LoRAs)
	s.TextualInversions = slices.Clone(s.TextualInversions)
	s.TextualInversionHashes = maps.Clone(s.TextualInversionHashes)
	return s
}

// PictureSeeds returns the seed and the variation seed of picture i of a run. As in A1111, each picture's seed is one more than
// that of the picture before or, if the run has variations of one picture, its variation seed is.
func (s Settings) PictureSeeds(i int) (seed, variation uint64) {
	if s.VariationStrength > 0 {
		return s.Seed, s.VariationSeed + uint64(i)
	}
	return s.Seed + uint64(i), s.VariationSeed
}

// From returns the settings that give count of a run's pictures, from picture i on.
func (s Settings) From(i, count int) Settings {
	s.Seed, s.VariationSeed = s.PictureSeeds(i)
	s.NumImages = count
	return s
}

// Repaints reports whether only a part of the result is drawn anew.
func (s Settings) Repaints() bool {
	return s.Mask != "" || s.InitImage != "" && (s.ResizeMode == ResizeOutpaint || s.Outpaint != Borders{})
}

// InitSize returns the size that InitImage has in the result, in pixels.
func (s Settings) InitSize() (width, height int) {
	return s.Width - s.Outpaint.Left - s.Outpaint.Right, s.Height - s.Outpaint.Top - s.Outpaint.Bottom
}

// Pictures returns the names of all pictures that the settings need.
func (s Settings) Pictures() []string {
	names := []string{s.InitImage, s.Mask}
	for _, g := range s.Guides {
		names = append(names, g.Pictures()...)
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

// IPAdapters returns the guides that are IP-Adapters.
func (s Settings) IPAdapters() []*IPAdapter {
	var list []*IPAdapter
	for _, g := range s.Guides {
		if a, ok := g.(*IPAdapter); ok {
			list = append(list, a)
		}
	}
	return list
}

// SeenPrompts returns the image prompts whose pictures are there, so that a result can be compared with them. Embeddings
// that were kept have none.
func (s Settings) SeenPrompts() []*IPAdapter {
	return slices.DeleteFunc(s.IPAdapters(), func(a *IPAdapter) bool { return a.Embeds != "" })
}

// MergesReference reports whether token merging and a reference picture are asked for together. They do not go together,
// because the picture's tokens are read by the self-attentions in which tokens are merged.
func (s Settings) MergesReference() bool {
	return s.TomeRatio > 0 && slices.ContainsFunc(s.Guides, func(g Guide) bool { return g.Kind() == KindReference })
}

// Validate returns everything that is wrong with the settings as one error, or nil. It
// does not know which models and pictures there are.
func (s Settings) Validate() error {
	var v problems
	_, known := scheduler.Find(s.Scheduler)
	v.require(known || s.Scheduler == "",
		"scheduler is %q. Choose one of %s", s.Scheduler, strings.Join(scheduler.Names(), ", "))
	v.number("num_inference_steps", float64(s.NumInferenceSteps), 1, 1000)
	v.number("clip_skip", float64(s.ClipSkip), 0, 11)
	v.number("eta", s.Eta, 0, 1)
	v.number("guidance_scale", s.GuidanceScale, 0, 100)
	v.fractions("", "guidance_start", "guidance_stop", s.GuidanceStart, cmp.Or(s.GuidanceStop, 1))
	v.number("cache_interval", float64(s.CacheInterval), 0, 20)
	v.number("tome_ratio", s.TomeRatio, 0, MaxTomeRatio)
	v.require(!s.MergesReference(),
		"tome_ratio merges tokens that a reference picture's self-attentions read: set tome_ratio to 0, or leave the reference picture out")
	v.number("num_images", float64(s.NumImages), 1, 64)
	v.size("height", s.Height)
	v.size("width", s.Width)
	v.number("variation_strength", s.VariationStrength, 0, 1)
	v.number("strength", s.Strength, 0, 1)
	if s.InitImage != "" && s.Strength >= 0 && s.Strength <= 1 && s.NumInferenceSteps > 0 {
		v.require(int(float64(s.NumInferenceSteps)*s.Strength) > 0,
			"%d steps at strength %g leave none to run: raise one of the two", s.NumInferenceSteps, s.Strength)
	}
	v.require(s.Mask == "" || s.InitImage != "",
		"mask is given without init_image. A mask says which part of the start picture to repaint")
	v.number("mask_feather", float64(s.MaskFeather), 0, MaxMaskFeather)
	v.require(s.ResizeMode == "" || slices.Contains(ResizeModes, s.ResizeMode),
		"resize_mode is %q. Choose one of %s", s.ResizeMode, strings.Join(ResizeModes, ", "))
	s.Outpaint.validate(&v, s)
	s.validateHires(&v)
	s.validateTiles(&v)
	v.words("prompt", s.Prompt)
	v.words("negative_prompt", s.NegativePrompt)
	v.require(rngNames[s.GeneratorDevice] != "", "generator_device is %q. Choose %s or %s", s.GeneratorDevice, GeneratorCPU, GeneratorGPU)
	_, err := s.BackgroundColour()
	v.require(err == nil, "%v", err)
	for i, l := range s.LoRAs {
		l.validate(&v, fmt.Sprintf("loras[%d]: ", i))
	}
	for i, g := range s.Guides {
		g.validate(&v, fmt.Sprintf("guides[%d]: ", i))
	}
	return errors.Join(v...)
}

type problems []error

func (v *problems) require(ok bool, format string, args ...any) {
	if !ok {
		*v = append(*v, fmt.Errorf(format, args...))
	}
}

func (v *problems) number(name string, x, low, high float64) {
	// Written so that NaN fails too.
	v.require(x >= low && x <= high, "%s is %g. It must be from %g to %g", name, x, low, high)
}

func (v *problems) words(name, text string) {
	v.require(len(text) <= MaxWords, "%s has %d kB; at most %d kB are allowed", name, len(text)>>10, MaxWords>>10)
}

// lambda checks a guide's λ and the fractions of the steps between which it applies.
// name is the prefix of these fields.
func (v *problems) lambda(where, name string, lambda, start, end float64) {
	v.number(where+name+"_scale", lambda, -10, 10)
	v.fractions(where, name+"_start", name+"_end", start, end)
}

// fractions checks the fractions of the steps between which a guide works.
func (v *problems) fractions(where, startName, endName string, start, end float64) {
	v.number(where+startName, start, 0, 1)
	v.number(where+endName, end, 0, 1)
	v.require(!(start > end), "%s%s (%g) is after %s (%g)", where, startName, start, endName, end)
}

func (v *problems) choice(name, value string, of []string) {
	v.require(slices.Contains(of, value), "%s is %q; choose one of %s", name, value, strings.Join(of, ", "))
}

const maxEdge = 4096

func (v *problems) size(name string, n int) {
	v.require(n >= 8 && n <= maxEdge && n%8 == 0,
		"%s is %d. It must be a multiple of 8, from 8 to %d (the nearest is %d)", name, n, maxEdge, min(max((n+4)/8*8, 8), maxEdge))
}
