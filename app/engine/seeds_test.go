package engine

import (
	"math"
	"slices"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/model/random"
)

// The settings in a picture's file give that picture: picture i of a run has the run's
// seed plus i or, if it is a variation, the run's variation seed plus i.
func TestARecipeGivesItsPicture(t *testing.T) {
	s := settings.Default()
	s.Seed, s.VariationSeed, s.NumImages = 41, 7, 3
	for _, s.GeneratorDevice = range []string{"", settings.GeneratorCPU, settings.GeneratorGPU} {
		for _, s.VariationStrength = range []float64{0, 0.25} {
			pictures, variation := sources(s)
			if (variation == nil) != (s.VariationStrength == 0) {
				t.Errorf("at strength %g there are %d other sources", s.VariationStrength, len(variation))
			}
			for i, source := range pictures {
				one, want := s.From(i, 1), s
				want.NumImages = 1
				if variation == nil {
					want.Seed += uint64(i)
				} else {
					want.VariationSeed += uint64(i)
				}
				if one.Seed != want.Seed || one.VariationSeed != want.VariationSeed || one.NumImages != 1 || one.GeneratorDevice != s.GeneratorDevice {
					t.Errorf("picture %d has the recipe %+v", i, one)
				}
				again, other := sources(one)
				if len(again) != 1 || !slices.Equal(again[0].Normal(64), source.Normal(64)) {
					t.Errorf("%q: picture %d has other noise when it is drawn alone", s.GeneratorDevice, i)
				}
				if variation != nil && !slices.Equal(other[0].Normal(64), variation[i].Normal(64)) {
					t.Errorf("%q: picture %d is turned towards other noise when it is drawn alone", s.GeneratorDevice, i)
				}
			}
		}
	}
	s.GeneratorDevice, s.VariationStrength = settings.GeneratorGPU, 0
	if pictures, _ := sources(s); !slices.Equal(pictures[2].Normal(64), random.NewPhilox(43).Normal(64)) {
		t.Error("gpu is not A1111's noise")
	}
	s.Seed = math.MaxUint64
	if s.From(1, 1).Seed != 0 {
		t.Error("the seed behind the last is not the first")
	}
}
