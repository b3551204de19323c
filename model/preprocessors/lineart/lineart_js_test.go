package lineart

import (
	"context"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/modeltest"
)

// The lines are those of LineartDetector's network.
func TestLines(t *testing.T) {
	f := readFixture(t)
	h, w := f.Shape[0], f.Shape[1]
	m := &imageproc.Image{Width: w, Height: h, Channels: 3}
	for _, v := range modeltest.Picture("lineart", h, w) {
		m.Pix = append(m.Pix, uint8((float64(v)+1)*128))
	}
	model := modeltest.Model{Name: "lineart", Keys: map[string]map[string][]int{"lineart": f.Keys}}
	modeltest.OnBothPaths(t, func(t *testing.T, d *gpu.Device) {
		n, err := Open(model.Checkpoint("lineart", false))
		if err != nil {
			t.Fatal(err)
		}
		modeltest.Load(t, d, n, model, "lineart")
		got, err := n.(*Generator).Lines(context.Background(), d, m)
		if err != nil {
			t.Fatal(err)
		}
		modeltest.Compare(t, d, got, f.Values, f.F16Error)
	})
}
