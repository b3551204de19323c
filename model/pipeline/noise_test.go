package pipeline

import (
	"context"
	"slices"
	"testing"

	"github.com/imprompt/imprompt/model/random"
	"github.com/imprompt/imprompt/model/scheduler"
)

func drawn(t *testing.T, q *Request) *run {
	t.Helper()
	config, err := scheduler.ParseConfig([]byte(`{"_class_name": "DDIMScheduler", "num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}`))
	if err != nil {
		t.Fatal(err)
	}
	r := &run{req: q, h: 3, w: 5}
	if r.schedule, err = scheduler.New(q.Scheduler, config, 4, scheduler.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := r.draw(context.Background()); err != nil {
		t.Fatal(err)
	}
	return r
}

// A picture that has a generator of its own is the same in every run.
func TestEachPictureDrawsFromItsOwnSource(t *testing.T) {
	for name, source := range map[string]func(seed uint64) random.Source{
		"cpu": func(seed uint64) random.Source { return random.New(seed) },
		"gpu": func(seed uint64) random.Source { return random.NewPhilox(seed) },
	} {
		for _, s := range []string{"euler_a", "ddim"} {
			three := drawn(t, &Request{Scheduler: s, NumImages: 3, Sources: []random.Source{source(7), source(8), source(9)}})
			for i := range 3 {
				one := drawn(t, &Request{Scheduler: s, NumImages: 1, Sources: []random.Source{source(uint64(7 + i))}})
				if !slices.Equal(three.initial[i], one.initial[0]) || !slices.Equal(three.noise0[i], one.noise0[0]) {
					t.Errorf("%s, %s: picture %d does not begin from the noise that it has when it is drawn alone", name, s, i)
				}
				if want := transposed(source(uint64(7+i)).Normal(4*3*5), 4); !slices.Equal(one.noise0[0], want) {
					t.Errorf("%s, %s: picture %d does not begin from its source's first numbers", name, s, i)
				}
				for step := range one.noises {
					if one.noises[step] != nil && !slices.Equal(three.noises[step][i], one.noises[step][0]) {
						t.Errorf("%s, %s: picture %d has other noise in step %d", name, s, i, step)
					}
				}
			}
		}
	}
}

// Only the noise that a picture begins from is turned towards another's, and turned all the way it is the other's, which the
// other's own picture begins from. The noise of the steps stays the picture's own.
func TestVariationTurnsTheFirstNoise(t *testing.T) {
	of := func(seed uint64) []random.Source { return []random.Source{random.New(seed)} }
	own := drawn(t, &Request{Scheduler: "euler_a", NumImages: 1, Sources: of(3)})
	other := drawn(t, &Request{Scheduler: "euler_a", NumImages: 1, Sources: of(4)})
	for _, tc := range []struct {
		strength float64
		begins   *run // nil for neither
	}{{0, own}, {0.25, nil}, {1, other}} {
		r := drawn(t, &Request{Scheduler: "euler_a", NumImages: 1, Sources: of(3), Variation: of(4), VariationStrength: tc.strength})
		for _, known := range []*run{own, other} {
			if slices.Equal(r.initial[0], known.initial[0]) != (known == tc.begins) {
				t.Errorf("at %g it begins from %v…, and the two seeds from %v… and %v…", tc.strength, r.initial[0][:2], own.initial[0][:2], other.initial[0][:2])
			}
		}
		for step := range r.noises {
			if r.noises[step] != nil && !slices.Equal(r.noises[step][0], own.noises[step][0]) {
				t.Errorf("at %g the noise of step %d is not the seed's own", tc.strength, step)
			}
		}
	}
}

// One source for one picture is the one generator of its seed.
func TestOneSourceIsTheSeedsGenerator(t *testing.T) {
	a := drawn(t, &Request{Scheduler: "euler_a", NumImages: 1, Seed: 3})
	b := drawn(t, &Request{Scheduler: "euler_a", NumImages: 1, Sources: []random.Source{random.New(3)}})
	for step := range a.noises {
		if a.noises[step] != nil && !slices.Equal(a.noises[step][0], b.noises[step][0]) {
			t.Errorf("step %d differs", step)
		}
	}
	if !slices.Equal(a.initial[0], b.initial[0]) {
		t.Error("the first sample differs")
	}
}
