package evaluate

import (
	"math"

	"github.com/imprompt/imprompt/app/settings"
)

// Score holds the measures of one drawn picture, which are cosines of CLIP's embeddings.
// CLIPScore (Hessel et al. 2021) is 2.5 · max(CLIPT, 0).
type Score struct {
	Key     string `json:"key"` // a hash of what was drawn, how, and with which weights
	CLIP    string `json:"clip"`
	Row     string `json:"row"`
	Picture string `json:"picture"`
	Seed    int    `json:"seed"`

	CLIPI float64  `json:"clip_i"`                 // with the image prompt
	CLIPT float64  `json:"clip_t"`                 // with its caption
	Other *float64 `json:"clip_t_other,omitempty"` // with the list's "other" words
}

// Measure is a mean over pictures and seeds.
type Measure struct {
	Mean float64 `json:"mean"`
	// Spread is the sample standard deviation of the seeds' means, or nil for a single seed.
	Spread *float64 `json:"spread,omitempty"`
}

// measure takes the values of each seed. All seeds have the same number of values.
func measure(seeds [][]float64) Measure {
	var means []float64
	for _, values := range seeds {
		means = append(means, mean(values))
	}
	m := Measure{Mean: mean(means)}
	if len(means) > 1 {
		var squares float64
		for _, v := range means {
			squares += (v - m.Mean) * (v - m.Mean)
		}
		spread := math.Sqrt(squares / float64(len(means)-1))
		m.Spread = &spread
	}
	return m
}

func mean(values []float64) float64 {
	var sum float64
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// Line is a row of the finished table.
type Line struct {
	Row
	Seeds int      `json:"seeds"` // how many seeds have all their pictures
	CLIPI Measure  `json:"clip_i"`
	CLIPT Measure  `json:"clip_t"`
	Other *Measure `json:"clip_t_other,omitempty"`
}

// Table holds everything that was measured.
type Table struct {
	Judge    string            `json:"clip"`
	Pictures int               `json:"pictures"`
	Settings settings.Settings `json:"settings"`
	// Own measures the image prompts themselves, and Another measures an image prompt in
	// place of another: the top and the bottom of the scale.
	Own     Baseline  `json:"the_pictures_themselves"`
	Another *Baseline `json:"another_picture,omitempty"` // nil if there is only one picture
	Lines   []Line    `json:"rows"`
}

// Baseline holds the measures of pictures that were not drawn here.
type Baseline struct {
	CLIPI float64  `json:"clip_i"`
	CLIPT float64  `json:"clip_t"`
	Other *float64 `json:"clip_t_other,omitempty"`
}

// line makes a row from its scores. ok is false while no seed has all its pictures.
// Incomplete seeds are left out, so that all rows are means over the same pictures.
func line(r Row, scores map[int][]Score, pictures int) (l Line, ok bool) {
	var i, t, other [][]float64
	for seed := 0; ; seed++ {
		list := scores[seed]
		if len(list) < pictures {
			break
		}
		var vi, vt, vo []float64
		for _, s := range list {
			vi, vt = append(vi, s.CLIPI), append(vt, s.CLIPT)
			if s.Other != nil {
				vo = append(vo, *s.Other)
			}
		}
		i, t = append(i, vi), append(t, vt)
		if len(vo) == pictures {
			other = append(other, vo)
		}
	}
	if len(i) == 0 {
		return l, false
	}
	l = Line{Row: r, Seeds: len(i), CLIPI: measure(i), CLIPT: measure(t)}
	if len(other) == len(i) {
		m := measure(other)
		l.Other = &m
	}
	return l, true
}
