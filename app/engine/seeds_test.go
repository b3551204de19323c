package engine

import (
	"math"
	"slices"
	"testing"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/model/random"
)

// The settings in a picture's file give that picture: picture i of a run has the run's
// seed plus i.
func TestARecipeGivesItsPicture(t *testing.T) {
	s := settings.Default()
	s.Seed, s.NumImages = 41, 3
	for _, device := range []string{"", settings.GeneratorCPU, settings.GeneratorGPU} {
		s.GeneratorDevice = device
		for i, source := range sources(s) {
			one := recipe(s, i)
			if one.Seed != uint64(41+i) || one.NumImages != 1 || one.GeneratorDevice != device {
				t.Errorf("picture %d has the recipe %+v", i, one)
			}
			again := sources(one)
			if len(again) != 1 || !slices.Equal(again[0].Normal(64), source.Normal(64)) {
				t.Errorf("%q: picture %d has other noise when it is drawn alone", device, i)
			}
		}
	}
	s.GeneratorDevice = settings.GeneratorGPU
	if !slices.Equal(sources(s)[2].Normal(64), random.NewPhilox(43).Normal(64)) {
		t.Error("gpu is not A1111's noise")
	}
	s.Seed = math.MaxUint64
	if recipe(s, 1).Seed != 0 {
		t.Error("the seed behind the last is not the first")
	}
}
