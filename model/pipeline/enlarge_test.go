package pipeline

import (
	"testing"

	"github.com/imprompt/imprompt/model/modeltest"
)

// Latents are enlarged as torch enlarges them: tests/reference/hires.py.
func TestEnlarge(t *testing.T) {
	var f struct{ Enlarge map[string][]float32 }
	modeltest.Fixture(t, "hires/hires.json", &f)
	if len(f.Enlarge) != 3 {
		t.Fatalf("the fixture has %d ways", len(f.Enlarge))
	}
	x := make([]float32, 4*5*6)
	for i := range x {
		x[i] = float32(modeltest.Uniform("network/a/enlarge", i))
	}
	for how, want := range f.Enlarge {
		if e := modeltest.RelativeError(Enlarge(x, 5, 6, 7, 10, how), want); !(e < 1e-5) {
			t.Errorf("%s is off by %.2g", how, e)
		}
	}
}
