package depth

import (
	"context"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/modeltest"
)

// The depth is that of transformers, from the picture on.
func TestDepth(t *testing.T) {
	f := modeltest.ReadMapNetwork(t, "depth")
	m := f.Picture(128)
	modeltest.OnBothPaths(t, func(t *testing.T, d *gpu.Device) {
		c, err := ConfigOf(f.Model.Checkpoint("depth", false))
		if err != nil {
			t.Fatal(err)
		}
		n := New(c)
		modeltest.Load(t, d, n, f.Model, "depth")
		got, err := n.Depth(context.Background(), d, m)
		if err != nil {
			t.Fatal(err)
		}
		modeltest.Compare(t, d, got, f.Values, f.F16Error)
	})
}
