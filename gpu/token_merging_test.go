package gpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// matchingCase is a picture whose tokens are merged.
type matchingCase struct {
	batch, h, w, c int
	ratio          float64
	signs          bool // the numbers are 1 and -1, so that many similarities are equal
}

// Tokens are merged and unmerged as the same in float64 does. On the f32 paths each token is a mean of what is summed
// in f32; with shader-f16 the results are rounded.
func TestTokenMerging(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		rng := rand.New(rand.NewPCG(31, 32))
		tolerance := 1e-6
		if d.F16 {
			tolerance = 5e-4
		}
		for _, c := range []matchingCase{
			{2, 4, 4, 20, 0.5, false}, {1, 5, 7, 40, 0.3, false}, {2, 7, 4, 8, 0.75, false}, {1, 3, 2, 4, 0.9, false},
			{2, 15, 13, 36, 0.5, false}, {2, 15, 13, 16, 0.5, true},
		} {
			t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
				count := c.batch * c.h * c.w * c.c
				numbers := normals(rng, count)
				if c.signs {
					for i, v := range numbers {
						numbers[i] = float32(math.Copysign(1, float64(v)))
					}
				}
				x, xv := input(d, Act, numbers, c.batch, c.h, c.w, c.c)
				y, yv := input(d, Act, normals(rng, count), c.batch, c.h, c.w, c.c)
				r, rv := input(d, Act, normals(rng, count), c.batch, c.h, c.w, c.c)
				p := d.NewProgram("test")
				m := MatchTokens(p, x, c.ratio, "match")
				merged := m.Merge(p, y, "merged")
				p.Keep(merged)
				all := m.Unmerge(p, merged, r, "all")
				p.Keep(all)
				run(t, p, 0)
				var wantMerged, wantAll []float32
				for entry := range c.batch {
					each := c.h * c.w * c.c
					at := func(v []float32) []float32 { return v[entry*each:][:each] }
					few, many := c.reference(at(xv), at(yv), at(rv))
					wantMerged, wantAll = append(wantMerged, few...), append(wantAll, many...)
				}
				compare(t, "merged", output(t, merged), wantMerged, tolerance)
				compare(t, "all", output(t, all), wantAll, 2*tolerance)
			})
		}
	})
}

// reference merges the tokens of one entry's y by what is similar in x, and adds the residual to the unmerged ones.
func (c matchingCase) reference(x, y, residual []float32) (merged, all []float32) {
	var sources, destinations []int // tokens
	for i := range c.h * c.w {
		if row, column := i/c.w, i%c.w; row%2 == 0 && column%2 == 0 && row+1 < c.h && column+1 < c.w {
			destinations = append(destinations, i)
		} else {
			sources = append(sources, i)
		}
	}
	dot := func(i, j int) (sum float64) {
		for k := range c.c {
			sum += float64(x[i*c.c+k]) * float64(x[j*c.c+k])
		}
		return sum
	}
	type match struct {
		source, destination int
		score               float64
	}
	var list []match
	for _, s := range sources {
		best := match{s, 0, -2}
		for i, d := range destinations {
			if cosine := dot(s, d) / math.Sqrt(dot(s, s)*dot(d, d)); cosine > best.score {
				best.destination, best.score = i, cosine
			}
		}
		list = append(list, best)
	}
	slices.SortStableFunc(list, func(a, b match) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	n := min(int(float64(c.h*c.w)*c.ratio), len(sources))
	place := make([]int, c.h*c.w) // in the merged tokens
	members := make([][]int, len(sources)-n+len(destinations))
	add := func(token, at int) { place[token], members[at] = at, append(members[at], token) }
	for i, d := range destinations {
		add(d, len(sources)-n+i)
	}
	for i, m := range list {
		if i < n {
			add(m.source, len(sources)-n+m.destination)
		} else {
			add(m.source, i-n)
		}
	}
	for _, tokens := range members {
		for k := range c.c {
			var sum float64
			for _, token := range tokens {
				sum += float64(y[token*c.c+k])
			}
			merged = append(merged, float32(sum/float64(len(tokens))))
		}
	}
	for token, at := range place {
		for k := range c.c {
			all = append(all, merged[at*c.c+k]+residual[token*c.c+k])
		}
	}
	return merged, all
}

// Where no token can be merged there is nothing to match.
func TestNothingToMerge(t *testing.T) {
	d := NewPlanner(false, DefaultLimits)
	p := d.NewProgram("test")
	for _, c := range []matchingCase{{h: 4, w: 4, ratio: 0}, {h: 4, w: 4, ratio: 0.05}, {h: 1, w: 8, ratio: 0.5}} {
		if m := MatchTokens(p, d.NewTensor("x", Act, 1, c.h, c.w, 8), c.ratio, "match"); m != nil {
			t.Errorf("%+v: %d tokens are merged", c, m.merged)
		}
	}
	if p.Len() > 0 {
		t.Errorf("%d dispatches", p.Len())
	}
}
