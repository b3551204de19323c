package hed

import (
	"context"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/modeltest"
)

// The edges are those of HEDdetector, before they become a picture.
func TestEdges(t *testing.T) {
	f := modeltest.ReadMapNetwork(t, "hed")
	m := f.Picture(5)
	modeltest.OnBothPaths(t, func(t *testing.T, d *gpu.Device) {
		n := New(f.Channels)
		modeltest.Load(t, d, n, f.Model, "hed")
		edges, err := n.Edges(context.Background(), d, m)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float32, len(edges))
		for i, v := range edges {
			got[i] = float32(v)
		}
		modeltest.Compare(t, d, got, f.Values, f.F16Error)
	})
}
