package lineart

import (
	"context"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/modeltest"
)

// The lines are those of LineartDetector's network.
func TestLines(t *testing.T) {
	f := modeltest.ReadMapNetwork(t, "lineart")
	m := f.Picture(128)
	modeltest.OnBothPaths(t, func(t *testing.T, d *gpu.Device) {
		n, err := Open(f.Model.Checkpoint("lineart", false))
		if err != nil {
			t.Fatal(err)
		}
		modeltest.Load(t, d, n, f.Model, "lineart")
		got, err := n.(*Generator).Lines(context.Background(), d, m)
		if err != nil {
			t.Fatal(err)
		}
		modeltest.Compare(t, d, got, f.Values, f.F16Error)
	})
}
