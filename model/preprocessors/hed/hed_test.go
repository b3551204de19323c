package hed

import (
	"testing"

	"github.com/imprompt/imprompt/model/modeltest"
	"github.com/imprompt/imprompt/model/nn"
)

type fixture struct {
	Channels  [5]int
	Keys      map[string][]int
	Published map[string][]int
	Shape     []int
	Values    []float32
	F16Error  float64 `json:"f16_error"`
}

func readFixture(t *testing.T) (f fixture) {
	t.Helper()
	modeltest.Fixture(t, "preprocessors/hed.json", &f)
	return f
}

// The published file has just the tensors that the network has.
func TestPublished(t *testing.T) {
	c := modeltest.Zeros(readFixture(t).Published)
	n, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	unused := func(_ string, keys []string) { t.Errorf("not used: %v", keys) }
	if err := (&nn.Memory{Unused: unused}).Add(n, c, 0); err != nil {
		t.Error(err)
	}
	if got := n.(*HED).Block5.Convs[2]; got == nil {
		t.Error("block5 has no third convolution")
	}
}

// A faint edge becomes none, and a strong one becomes white.
func TestSafeStep(t *testing.T) {
	edges := []float64{0, 0.3, 0.34, 0.6, 0.7, 1}
	safeStep(edges)
	for i, want := range []float64{0, 0, 0.5, 0.5, 1, 1.5} {
		if edges[i] != want {
			t.Errorf("edge %d is %g, not %g", i, edges[i], want)
		}
	}
}
