package scheduler

import (
	"cmp"
	"encoding/json"
	"slices"
	"sort"
)

// Scheduler is one of the schedulers that New can run. The file that implements a scheduler
// registers it, with everything that other packages have to know about it.
type Scheduler struct {
	Name  string // on the command line and in settings
	Label string // in the page
	A1111 string // AUTOMATIC1111's name for the sampler; "" where it is the label
	Class string // diffusers' class
	Eta   bool   // whether the class's step takes eta
	// Arguments are given to the class in addition to the model's configuration:
	// from_config(config, **arguments). The values are JSON.
	Arguments map[string]json.RawMessage

	place int // in lists
	// read reads the fields that the class has, with the class's defaults (the __init__ in
	// scheduling_*.py).
	read func(p *params, f *fields)
	// build makes the steps of a run of n steps, without the first ones. eta is
	// Options.Eta.
	build func(s *Schedule, p params, n, first int, eta float64) error
}

var registered []Scheduler

func register(s Scheduler) {
	s.A1111 = cmp.Or(s.A1111, s.Label)
	registered = append(registered, s)
	sort.Slice(registered, func(i, j int) bool { return registered[i].place < registered[j].place }) // slices.SortFunc adds 5 kB to the program for each type
}

// All are the schedulers, in the order in which they are shown.
func All() []Scheduler { return slices.Clone(registered) }

// Names are the names of all schedulers.
func Names() []string {
	var names []string
	for _, s := range registered {
		names = append(names, s.Name)
	}
	return names
}

// Find finds a scheduler by its name.
func Find(name string) (Scheduler, bool) {
	i := slices.IndexFunc(registered, func(s Scheduler) bool { return s.Name == name })
	if i < 0 {
		return Scheduler{}, false
	}
	return registered[i], true
}
