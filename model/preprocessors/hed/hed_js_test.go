package hed

import (
	"context"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/modeltest"
)

// The edges are those of HEDdetector, before they become a picture.
func TestEdges(t *testing.T) {
	f := readFixture(t)
	h, w := f.Shape[0], f.Shape[1]
	m := &imageproc.Image{Width: w, Height: h, Channels: 3}
	for _, v := range modeltest.Picture("hed", h, w) {
		m.Pix = append(m.Pix, uint8((float64(v)+1)*5))
	}
	modeltest.OnBothPaths(t, func(t *testing.T, d *gpu.Device) {
		n := New(f.Channels)
		modeltest.Load(t, d, n, modeltest.Model{Name: "hed", Keys: map[string]map[string][]int{"hed": f.Keys}}, "hed")
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
