package state

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/texts"
)

// Plot is how near the pictures of a strip or a grid are to their image prompts and to their words, over
// the image weight λ. All places are in units of its view box.
type Plot struct {
	Width, Height            int
	Left, Right, Top, Bottom float64 // of the frame, within which the lines are
	Ticks                    []Tick
	Lines                    []PlotLine // none until the pictures are measured
	Label                    string     // the values as a text
}

// Tick is a number beside the frame, and the middle of its line.
type Tick struct {
	Text string
	X, Y float64
}

// PlotLine is one of a plot's lines.
type PlotLine struct {
	Name   string // picture or words
	Points [][2]float64
	Values []float64 // of the points
	NameY  float64   // of the middle of the name's line, which begins right of the frame
}

// The measures of a plot.
const (
	plotWidth  = 480
	plotHeight = 132
	plotLine   = 16 // the height of a line of text
)

// NewPlot draws the scores of pictures. pending says that they are still to come, for which the room is
// kept. ok is false where there is nothing to plot: without a λ that differs, and without scores.
func NewPlot(shots Shots, pending bool) (p Plot, ok bool) {
	scores, weights := overLambda(shots)
	if len(scores) < 2 && !pending {
		return Plot{}, false
	}
	p = Plot{Width: plotWidth, Height: plotHeight, Left: 40, Right: plotWidth - 120, Top: 10, Bottom: plotHeight - 24,
		Label: texts.T("How near the pictures are to the image prompts is being measured.")}
	if len(scores) < 2 {
		return p, true
	}
	least, most := math.Inf(1), math.Inf(-1)
	for _, s := range scores {
		for _, v := range s {
			least, most = min(least, v), max(most, v)
		}
	}
	least, most = math.Floor(10*least)/10, math.Ceil(10*most)/10
	if least == most {
		most += 0.1
	}
	x := func(w float64) float64 {
		return p.Left + (p.Right-p.Left)*(w-weights[0])/(weights[len(weights)-1]-weights[0])
	}
	y := func(v float64) float64 { return p.Bottom - (p.Bottom-p.Top)*(v-least)/(most-least) }
	for _, v := range []float64{least, most} {
		p.Ticks = append(p.Ticks, Tick{texts.Number(v, 1), p.Left - 18, y(v)})
	}
	for _, w := range spread(weights, 6) {
		p.Ticks = append(p.Ticks, Tick{texts.Trimmed(w), x(w), p.Bottom + 14})
	}
	for i, name := range []string{texts.T("picture"), texts.T("words")} {
		line := PlotLine{Name: name}
		for _, w := range weights {
			if s := scores[w]; i < len(s) {
				line.Points, line.Values = append(line.Points, [2]float64{x(w), y(s[i])}), append(line.Values, s[i])
			}
		}
		if len(line.Points) > 1 {
			line.NameY = line.Points[len(line.Points)-1][1]
			p.Lines = append(p.Lines, line)
		}
	}
	if len(p.Lines) == 2 {
		part(&p.Lines[0], &p.Lines[1], p.Bottom)
	}
	p.Label = plotLabel(weights, scores)
	return p, true
}

// overLambda returns the scores for each λ, in rising order: the nearness to the pictures of the image
// prompts whose λ differs, and that to the words where all of the pictures with this λ have it. If several
// pictures have the same λ, the scores are means.
func overLambda(shots Shots) (scores map[float64][]float64, weights []float64) {
	var measured []*Result
	for _, s := range shots {
		if s.Result != nil && s.Result.Score != nil {
			measured = append(measured, s.Result)
		}
	}
	differing := differing(settingsOf(measured))
	if differing == nil {
		return nil, nil
	}
	groups := map[float64][]*Result{}
	for _, r := range measured {
		if adapters := r.Settings.IPAdapters(); differing[0] < len(adapters) {
			w := adapters[differing[0]].Lambda
			groups[w] = append(groups[w], r)
		}
	}
	scores = map[float64][]float64{}
	for w, list := range groups {
		var pictures, words []float64
		for _, r := range list {
			pictures = append(pictures, ofAdapters(r, differing)...)
			if r.Score.CLIPT != nil {
				words = append(words, *r.Score.CLIPT)
			}
		}
		if len(pictures) == 0 {
			continue
		}
		// They are not sorted at the end, because slices.Sort adds 3 kB to the page's program.
		at, _ := slices.BinarySearch(weights, w)
		weights, scores[w] = slices.Insert(weights, at, w), []float64{mean(pictures)}
		if len(words) == len(list) {
			scores[w] = append(scores[w], mean(words))
		}
	}
	return scores, weights
}

func settingsOf(results []*Result) (list []settings.Settings) {
	for _, r := range results {
		list = append(list, r.Settings)
	}
	return list
}

// differing are the numbers of the IP-Adapters whose λ is not the same in all settings.
func differing(list []settings.Settings) (numbers []int) {
	if len(list) == 0 {
		return nil
	}
	for n, a := range list[0].IPAdapters() {
		if slices.ContainsFunc(list, func(s settings.Settings) bool {
			other := s.IPAdapters()
			return n < len(other) && other[n].Lambda != a.Lambda
		}) {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// ofAdapters returns how near a picture is to the pictures of some of its IP-Adapters.
func ofAdapters(r *Result, numbers []int) (list []float64) {
	at := 0
	for n, a := range r.Settings.IPAdapters() {
		if a.Embeds != "" {
			continue
		}
		end := at + len(a.Images)
		if slices.Contains(numbers, n) && end <= len(r.Score.CLIPI) {
			list = append(list, r.Score.CLIPI[at:end]...)
		}
		at = end
	}
	return list
}

func mean(list []float64) (m float64) {
	for _, v := range list {
		m += v / float64(len(list))
	}
	return m
}

// spread returns at most n of sorted numbers, with the first and the last among them.
func spread(list []float64, n int) (some []float64) {
	if len(list) <= n {
		return list
	}
	for i := range n {
		some = append(some, list[i*(len(list)-1)/(n-1)])
	}
	return some
}

// part moves the names of two lines apart where they would lie on each other.
func part(a, b *PlotLine, bottom float64) {
	upper, lower := a, b
	if upper.NameY > lower.NameY {
		upper, lower = lower, upper
	}
	lower.NameY = min(max(lower.NameY, upper.NameY+plotLine), bottom)
	upper.NameY = min(upper.NameY, lower.NameY-plotLine)
}

func plotLabel(weights []float64, scores map[float64][]float64) string {
	var parts []string
	for _, w := range weights {
		text := texts.F("at %s %s to the picture", texts.Trimmed(w), texts.Number(scores[w][0], 2))
		if len(scores[w]) > 1 {
			text += texts.F(" and %s to the words", texts.Number(scores[w][1], 2))
		}
		parts = append(parts, text)
	}
	return texts.F("How near the pictures are, by image weight: %s.", strings.Join(parts, ", "))
}

// Plot is the plot of the last request; ok is false where there is none.
func (j *Jobs) Plot() (p Plot, ok bool) {
	pending := j.plots && (j.Busy() || slices.ContainsFunc(j.unknown, func(u unknown) bool { return u.request == j.number }))
	return NewPlot(j.Shots, pending)
}

// Scored is what the file of a sheet says of one of its pictures.
type Scored struct {
	Label  string    `json:"label,omitempty"`
	Lambda []float64 `json:"ip_adapter_scale"`
	CLIPI  []float64 `json:"clip_i"`
	CLIPT  *float64  `json:"clip_t,omitempty"`
}

// scored lists the scores of a sheet's pictures, in their order.
func scored(cells []Cell) (list []Scored) {
	for _, c := range cells {
		if c.Result == nil || c.Result.Score == nil {
			continue
		}
		one := Scored{Label: cmp.Or(c.Result.Label, c.Label), CLIPI: c.Result.Score.CLIPI, CLIPT: c.Result.Score.CLIPT}
		for _, a := range c.Result.Settings.IPAdapters() {
			one.Lambda = append(one.Lambda, a.Lambda)
		}
		list = append(list, one)
	}
	return list
}
