package modeltest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// Steering holds networks that steer the small models, by "MODEL/NETWORK", as nets of
// tests/reference/sensitivity.py writes them.
type Steering struct {
	Nets map[string]struct {
		Config json.RawMessage
		Keys   map[string][]int
	}
	Networks map[string]Output // of some of them alone
	Every    int               // how far apart the stored numbers of an output are
}

// Load loads a network's weights, for as long as the test runs, and returns its checkpoint. The
// weights are hashed with the name of its kind, as a part of the model.
func (f Steering) Load(t *testing.T, d *gpu.Device, n nn.Network, m Model, kind, name string) nn.Checkpoint {
	t.Helper()
	_, net, _ := strings.Cut(name, "/")
	part := kind + " " + net
	m.Keys[part] = f.Nets[name].Keys
	Load(t, d, n, m, part)
	return m.Checkpoint(part, !d.F16)
}

// Check compares all of a network's output with what is stored of it.
func (f Steering) Check(t *testing.T, d *gpu.Device, name string, all []float32) {
	t.Helper()
	var got []float32
	for i := 0; i < len(all); i += f.Every {
		got = append(got, all[i])
	}
	want := f.Networks[name]
	Compare(t, d, got, want.Values, want.F16Error)
}
