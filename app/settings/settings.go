// Package settings is what a picture is made from: the fields that the command
// line's flags, the page's controls and the saved PNGs share, named as
// diffusers names its arguments.
package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/imprompt/imprompt/model/scheduler"
)

// Settings are one request for pictures. Pictures that go in are named here and
// travel beside, as the files the person gave.
type Settings struct {
	Model          string      `json:"model,omitempty"` // "" is the model that ships
	Prompt         string      `json:"prompt"`
	NegativePrompt string      `json:"negative_prompt"`
	IPAdapters     []IPAdapter `json:"ip_adapters,omitempty"`

	InitImage string  `json:"init_image,omitempty"` // the picture's name; "" is text to image
	Strength  float64 `json:"strength"`             // 0 leaves InitImage as it is, 1 ignores it
	Mask      string  `json:"mask,omitempty"`       // white is repainted; needs InitImage

	Scheduler         string  `json:"scheduler"` // the name of a scheduler.Scheduler; "" is the model's own
	NumInferenceSteps int     `json:"num_inference_steps"`
	GuidanceScale     float64 `json:"guidance_scale"` // 1 or less: no negative prompt, half the work
	Height            int     `json:"height"`         // pixels
	Width             int     `json:"width"`          // pixels
	Seed              uint64  `json:"seed"`           // of the first picture; each of the others has the next one
	NumImages         int     `json:"num_images"`
	// GeneratorDevice is where torch would draw the noise: GeneratorCPU, which "" is too, as
	// diffusers' examples do, or GeneratorGPU, as AUTOMATIC1111's web UI does.
	GeneratorDevice string `json:"generator_device,omitempty"`
	// Background is the colour behind transparent pictures, as in #ffffff; "" is white.
	Background string `json:"background,omitempty"`

	// LowMemory takes as little of the GPU's memory as it can, and more time. The picture is the same, to rounding.
	LowMemory bool `json:"low_memory,omitempty"`
}

// IPAdapter is one adapter with its image prompts.
type IPAdapter struct {
	Weights      string        `json:"ip_adapter"`    // "" is the one that ships
	ImageEncoder string        `json:"image_encoder"` // "" is the one that ships
	Images       []ImagePrompt `json:"images"`
	Scale        float64       `json:"ip_adapter_scale"`          // λ
	Layers       string        `json:"ip_adapter_layers"`         // one of Layers
	Start        float64       `json:"ip_adapter_start"`          // fraction of the steps, 0 to 1
	End          float64       `json:"ip_adapter_end"`            // fraction of the steps, 0 to 1
	Mask         string        `json:"ip_adapter_mask,omitempty"` // white is where it works
}

// ImagePrompt is one picture for an adapter.
type ImagePrompt struct {
	Picture string `json:"picture"`
	Crop    *Crop  `json:"crop,omitempty"` // nil leaves it to the image processor: the centre
}

// Crop is a square in a picture's own pixels.
type Crop struct {
	X    int `json:"x"`
	Y    int `json:"y"`
	Size int `json:"size"`
}

// What IPAdapter.Layers may say.
const (
	LayersAll         = "all"
	LayersStyle       = "style"       // every cross-attention but the composition's and the deepest up block's
	LayersComposition = "composition" // the cross-attention of the deepest down block that has one
)

// What Settings.GeneratorDevice may say, besides "".
const (
	GeneratorCPU = "cpu"
	GeneratorGPU = "gpu"
)

// Default returns diffusers' defaults.
func Default() Settings {
	return Settings{
		Strength:          0.8,
		NumInferenceSteps: 50,
		GuidanceScale:     7.5,
		Height:            512,
		Width:             512,
		NumImages:         1,
	}
}

// DefaultIPAdapter returns an adapter with diffusers' defaults and no pictures.
func DefaultIPAdapter() IPAdapter {
	return IPAdapter{Scale: 1, Layers: LayersAll, End: 1}
}

// Partial says that settings were read, but not all that was there could be
// taken over. The settings that come with it are good.
type Partial struct {
	LeftOut []string // a sentence each
}

func (p *Partial) Error() string {
	return "some settings could not be taken over: " + strings.Join(p.LeftOut, "; ")
}

// FromJSON reads settings; a field that is absent has its default. Fields that
// it does not know come in a *Partial, beside good settings.
func FromJSON(text []byte) (Settings, error) {
	s := Default()
	if err := json.Unmarshal(text, &s); err != nil {
		return Default(), fmt.Errorf("these settings are damaged: %w", err)
	}
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	var again Settings
	if err := strict.Decode(&again); err != nil {
		what := strings.TrimPrefix(err.Error(), "json: ")
		return s, &Partial{[]string{what + " (they were saved by a newer version)"}}
	}
	return s, nil
}

// UnmarshalJSON gives absent fields their defaults.
func (a *IPAdapter) UnmarshalJSON(text []byte) error {
	type plain IPAdapter
	p := plain(DefaultIPAdapter())
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	*a = IPAdapter(p)
	return nil
}

// Validate returns all that is wrong with the settings, joined, or nil. It
// cannot know which models and pictures there are.
func (s Settings) Validate() error {
	var v problems
	_, known := scheduler.Find(s.Scheduler)
	v.require(known || s.Scheduler == "",
		"scheduler is %q; choose one of %s", s.Scheduler, strings.Join(scheduler.Names(), ", "))
	v.number("num_inference_steps", float64(s.NumInferenceSteps), 1, 1000)
	v.number("guidance_scale", s.GuidanceScale, 0, 100)
	v.number("num_images", float64(s.NumImages), 1, 64)
	v.size("height", s.Height)
	v.size("width", s.Width)
	v.number("strength", s.Strength, 0, 1)
	v.require(s.Mask == "" || s.InitImage != "",
		"mask is given without init_image; a mask says which part of that picture to repaint")
	v.words("prompt", s.Prompt)
	v.words("negative_prompt", s.NegativePrompt)
	v.require(rngNames[s.GeneratorDevice] != "", "generator_device is %q; choose %s or %s", s.GeneratorDevice, GeneratorCPU, GeneratorGPU)
	_, err := s.BackgroundColour()
	v.require(err == nil, "%v", err)
	for i, a := range s.IPAdapters {
		a.validate(&v, fmt.Sprintf("ip_adapters[%d]: ", i))
	}
	return errors.Join(v...)
}

func (a IPAdapter) validate(v *problems, where string) {
	v.require(len(a.Images) > 0, "%simages is empty; give at least one picture, or leave the adapter out", where)
	v.number(where+"ip_adapter_scale", a.Scale, -10, 10)
	v.number(where+"ip_adapter_start", a.Start, 0, 1)
	v.number(where+"ip_adapter_end", a.End, 0, 1)
	v.require(!(a.Start > a.End), "%sip_adapter_start (%g) is after ip_adapter_end (%g)", where, a.Start, a.End)
	switch a.Layers {
	case LayersAll, LayersStyle, LayersComposition:
	default:
		v.require(false, "%sip_adapter_layers is %q; choose %s, %s or %s", where, a.Layers, LayersAll, LayersStyle, LayersComposition)
	}
	for j, m := range a.Images {
		v.require(m.Picture != "", "%simages[%d] names no picture", where, j)
		if c := m.Crop; c != nil {
			v.require(c.X >= 0 && c.Y >= 0 && c.Size > 0,
				"%simages[%d]: a crop of %d pixels at (%d, %d) is not inside any picture", where, j, c.Size, c.X, c.Y)
		}
	}
}

type problems []error

func (v *problems) require(ok bool, format string, args ...any) {
	if !ok {
		*v = append(*v, fmt.Errorf(format, args...))
	}
}

func (v *problems) number(name string, x, low, high float64) {
	// Written so that NaN fails too.
	v.require(x >= low && x <= high, "%s is %g; it must be from %g to %g", name, x, low, high)
}

func (v *problems) words(name, text string) {
	v.require(len(text) <= maxWords, "%s has %d kB; at most %d kB are taken", name, len(text)>>10, maxWords>>10)
}

const maxEdge = 4096

func (v *problems) size(name string, n int) {
	v.require(n >= 8 && n <= maxEdge && n%8 == 0,
		"%s is %d; it must be a multiple of 8, from 8 to %d (%d is near)", name, n, maxEdge, min(max((n+4)/8*8, 8), maxEdge))
}
