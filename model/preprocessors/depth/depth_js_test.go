package depth

import (
	"context"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/modeltest"
)

// The depth is that of transformers, from the picture on.
func TestDepth(t *testing.T) {
	f := readFixture(t)
	h, w := f.Shape[0], f.Shape[1]
	m := &imageproc.Image{Width: w, Height: h, Channels: 3}
	for _, v := range modeltest.Picture("depth", h, w) {
		m.Pix = append(m.Pix, uint8((float64(v)+1)*128))
	}
	model := modeltest.Model{Name: "depth", Keys: map[string]map[string][]int{"depth": f.Keys}}
	modeltest.OnBothPaths(t, func(t *testing.T, d *gpu.Device) {
		c, err := ConfigOf(model.Checkpoint("depth", false))
		if err != nil {
			t.Fatal(err)
		}
		n := New(c)
		modeltest.Load(t, d, n, model, "depth")
		got, err := n.Depth(context.Background(), d, m)
		if err != nil {
			t.Fatal(err)
		}
		modeltest.Compare(t, d, got, f.Values, f.F16Error)
	})
}
