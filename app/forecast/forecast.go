package forecast

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"maps"
	"math"
	"strings"

	"github.com/imprompt/imprompt/app/settings"
)

// The models whose work is known. A model of the visitor's counts as SD15, whose networks it has.
const (
	Demo = "demo"
	SD15 = "sd15"
)

// load is what a model does for a picture of a size. The step has guidance.
type load struct {
	Pixels     int // of the latents
	Step       work
	Decode     work
	Dispatches int // of the step
	// DecodeBytes is what the decoder takes of the GPU's memory while it runs, with shader-f16.
	DecodeBytes int64
}

// work is gpu.Work: how much is done, by what is done at the same pace.
type work map[string]float64

//go:embed work.json
var recorded []byte

// loads are those of a model, from the smallest picture to the largest.
var loads = func() map[string][]load {
	var m map[string][]load
	if err := json.Unmarshal(recorded, &m); err != nil {
		panic(err) // the file is part of the program
	}
	return m
}()

// gap is how long a GPU takes between two dispatches, in seconds.
const gap = 3e-6

// reusing is how much of a whole step's work a step does that reuses the rest of the UNet (unet's TestDeepCacheWork).
const reusing = 0.09

// Card is what is known of the speed of a GPU. It is remembered as JSON.
type Card struct {
	// Paces is how many seconds one unit of each kind of work takes (gpu.Device.Paces).
	Paces map[string]float64 `json:"paces"`
	// Learned is how many times as long as the paces say the runs took that were drawn on this GPU, by Run.steps
	// and Run.decode.
	Learned map[string]float64 `json:"learned,omitempty"`
}

// Known reports whether anything is known.
func (c Card) Known() bool { return len(c.Paces) > 0 }

// Run is a picture, by what its time depends on.
type Run struct {
	Model         string // Demo or SD15
	Width, Height int    // pixels
	Steps         int
	Guided        float64 // the share of the steps that have guidance
	CacheInterval int     // DeepCache's; 0 counts as 1
	TomeRatio     float64 // token merging's
	Tiled         bool    // the VAE works in tiles
	First         *Run    // the pass before this one, which is not decoded; nil for none
	Times         int     // how often it is done, for the tiles of a picture; 0 counts as 1
	Guides        string  // the kinds of those that run with every step
}

// Of returns the Run of one picture of the settings.
func Of(s settings.Settings) Run {
	if s.Twice() {
		second := s.Second()
		second.InitImage = "the first pass"
		s.HiresScale = 0
		r, first := Of(second), Of(s)
		r.First = &first
		return r
	}
	r := Run{Model: SD15, Width: s.Width, Height: s.Height, Steps: s.NumInferenceSteps, CacheInterval: s.CacheInterval, TomeRatio: s.TomeRatio, Tiled: s.VAETiling}
	if s.GuidanceScale > 1 {
		r.Guided = cmp.Or(s.GuidanceStop, 1) - s.GuidanceStart
	}
	if s.Model == "" {
		r.Model = Demo
	}
	if s.TileSize > 0 {
		r.Times = s.TileCount()
		r.Width, r.Height = min(s.Width, s.TileSize), min(s.Height, s.TileSize)
	}
	if s.InitImage != "" {
		r.Steps = max(1, int(float64(r.Steps)*s.Strength))
	}
	for _, g := range s.Guides {
		if kind := g.Kind(); kind != settings.KindIPAdapter { // which takes next to nothing
			r.Guides += " " + kind
		}
	}
	return r
}

// Step is how many seconds a step takes on average.
func (c Card) Step(r Run) float64 {
	return c.step(r) * c.learned(r.steps(), Run{Model: r.Model}.steps())
}

// Decode is how many seconds the decoder takes for the picture or, of one that is drawn in tiles, for a tile.
func (c Card) Decode(r Run) float64 { return c.decode(r) * c.learned(r.decode()) }

// Picture is how many seconds a picture takes once the model is loaded and its shaders are compiled.
func (c Card) Picture(r Run) float64 {
	seconds := (float64(r.Steps)*c.Step(r) + c.Decode(r)) * float64(max(1, r.Times))
	if r.First != nil {
		seconds += float64(r.First.Steps) * c.Step(*r.First)
	}
	return seconds
}

// Learn takes what a picture took: the seconds of a step and of the decoder, for all tiles together. 0 is not known. With two
// passes, the step is of the second.
func (c *Card) Learn(r Run, step, decode float64) {
	if !c.Known() {
		return
	}
	learned := map[string]float64{}
	for key, times := range c.Learned {
		learned[key] = times
	}
	c.Learned = learned
	c.learn(r.steps(), step/c.step(r))
	c.learn(r.decode(), decode/float64(max(1, r.Times))/c.decode(r))
}

// learn takes how many times as long something took as the paces say. A run may have had to share the GPU, so that each
// counts as much as all before it.
func (c *Card) learn(key string, times float64) {
	if !(times > 0) || math.IsInf(times, 0) {
		return
	}
	if before := c.Learned[key]; before > 0 {
		times = math.Sqrt(times * before)
	}
	c.Learned[key] = times
}

// steps and decode name what a Run takes its time for, in Card.Learned.
func (r Run) steps() string  { return r.Model + " step" + r.Guides }
func (r Run) decode() string { return r.Model + " decode" }

// learned is what is learned under the first of the keys that is known, or 1.
func (c Card) learned(keys ...string) float64 {
	for _, key := range keys {
		if v, ok := c.Learned[key]; ok {
			return v
		}
	}
	return 1
}

func (c Card) step(r Run) float64 {
	seconds := r.between(func(l load) float64 { return c.seconds(l.Step.merged(r.TomeRatio)) + gap*float64(l.Dispatches) })
	n := float64(max(1, r.CacheInterval))
	return seconds * (1 + r.Guided) / 2 * (1 + (n-1)*reusing) / n
}

// merged is the work of a step in which so many of the tokens are merged. The search for them does 2 · 3/16 of the
// operations that a self-attention, 4, does for each pair of tokens and channel.
func (w work) merged(ratio float64) work {
	const largest = "attention/40" // heads of 40 are those at the latents' size
	if ratio == 0 || w[largest] == 0 {
		return w
	}
	w = maps.Clone(w)
	w[largest] *= (1-ratio)*(1-ratio) + 2.0*3/16/4
	return w
}

func (c Card) decode(r Run) float64 {
	whole := func(l load) float64 { return c.seconds(l.Decode) }
	if !r.Tiled {
		return r.between(whole)
	}
	tile := r.tile()
	return tile.between(whole) * float64(along(r.Width, tile.Width)*along(r.Height, tile.Height)) / float64(tile.Width*tile.Height)
}

// DecodeBytes is about how much of the GPU's memory the decoder takes while it runs, with shader-f16.
func DecodeBytes(r Run) int64 {
	if r.Tiled {
		r = r.tile()
	}
	return int64(r.between(func(l load) float64 { return float64(l.DecodeBytes) }))
}

// tile is r with the size of the VAE's tiles.
func (r Run) tile() Run {
	side := 512
	if r.Model == Demo {
		side = 128
	}
	r.Width, r.Height = min(r.Width, side), min(r.Height, side)
	return r
}

// along is how many pixels the tiles have together that lie along so many pixels. Each begins after three quarters of the
// one before, unless there is only one.
func along(pixels, tile int) (sum int) {
	if pixels <= tile {
		return pixels
	}
	for at := 0; at < pixels; at += tile / 4 * 3 {
		sum += min(tile, pixels-at)
	}
	return sum
}

const factor = 8 // of the VAE

// between is the value of f for the run's size, on the straight line between the recorded sizes around it.
func (r Run) between(f func(l load) float64) float64 {
	list := loads[r.Model]
	pixels := float64(r.Width*r.Height) / (factor * factor)
	i := 1
	for i < len(list)-1 && pixels > float64(list[i].Pixels) {
		i++
	}
	a, b := list[i-1], list[i]
	if pixels < float64(a.Pixels) {
		return f(a) * pixels / float64(a.Pixels)
	}
	return f(a) + (f(b)-f(a))*(pixels-float64(a.Pixels))/float64(b.Pixels-a.Pixels)
}

// seconds is how long work takes, without the gaps between dispatches.
func (c Card) seconds(w work) (sum float64) {
	for key, amount := range w {
		sum += amount * c.pace(key)
	}
	return sum
}

// pace is that of a kind of work. One that was not measured has the pace of another shape of its class.
func (c Card) pace(key string) float64 {
	if pace, ok := c.Paces[key]; ok {
		return pace
	}
	class, _, _ := strings.Cut(key, "/")
	for _, shape := range []string{"/large", "/small", "/40"} {
		if pace, ok := c.Paces[class+shape]; ok {
			return pace
		}
	}
	return 0
}
