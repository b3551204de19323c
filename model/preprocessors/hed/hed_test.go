package hed

import (
	"testing"

	"github.com/imprompt/imprompt/model/modeltest"
)

// The published file has just the tensors that the network has.
func TestPublished(t *testing.T) {
	n := modeltest.OpenPublished(t, modeltest.ReadMapNetwork(t, "hed"), Open)
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
