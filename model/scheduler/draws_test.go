package scheduler

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
)

// The plan is what diffusers' pipelines call torch.randn for: tests/reference/scheduler_draws.py.
func TestPlanDraws(t *testing.T) {
	kinds, names := map[string]int{}, map[string]bool{}
	for _, file := range []string{"draws.json", "draws_fast.json"} {
		data, err := os.ReadFile("../../tests/fixtures/scheduler/" + file)
		if err != nil {
			t.Fatal(err)
		}
		var fixture struct {
			Config string
			Cases  []struct {
				Kind, Scheduler string
				Steps, Images   int
				Strength, Eta   float64
				Latents         [3]int
				Draws           []Draw
			}
		}
		if err := json.Unmarshal(data, &fixture); err != nil {
			t.Fatal(err)
		}
		config, err := ParseConfig([]byte(fixture.Config))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range fixture.Cases {
			kinds[c.Kind]++
			names[c.Scheduler] = true
			s, err := New(c.Scheduler, config, c.Steps, Options{Strength: c.Strength, Eta: c.Eta})
			if err != nil {
				t.Fatal(err)
			}
			plan := PlanDraws(Kind(c.Kind), s, c.Images, c.Latents, c.Strength)
			for i := range plan {
				plan[i].Unused = false // cannot be seen from outside
			}
			if !slices.Equal(plan, c.Draws) {
				t.Errorf("%s %s, %d images, strength %g:\n got %v\nwant %v", c.Kind, c.Scheduler, c.Images, c.Strength, plan, c.Draws)
			}
		}
	}
	for _, n := range Names() {
		if !names[n] {
			t.Errorf("no case of %s", n)
		}
	}
	for _, k := range []Kind{TextToImage, ImageToImage, Inpaint, InpaintChannels} {
		if kinds[string(k)] < 16 {
			t.Errorf("only %d cases of %s", kinds[string(k)], k)
		}
	}
}
