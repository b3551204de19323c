package modeltest

import (
	"math"
	"testing"

	"github.com/imprompt/imprompt/gpu"
)

// RelativeError is |got - want| / |want|, in the Euclidean norm.
func RelativeError(got, want []float32) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	var diff, norm float64
	for i := range want {
		e := float64(got[i]) - float64(want[i])
		diff += e * e
		norm += float64(want[i]) * float64(want[i])
	}
	return math.Sqrt(diff / norm)
}

// Compare fails the test if an output differs from the reference by more than 1e-3 in float32
// or, with shader-f16, by more than twice the error of the reference's own float16 run.
func Compare(t *testing.T, d *gpu.Device, got, want []float32, f16Error float64) {
	t.Helper()
	tolerance := 1e-3
	if d.F16 {
		tolerance = 2 * f16Error
	}
	e := RelativeError(got, want)
	t.Logf("relative error %.2g, at most %.2g", e, tolerance)
	if !(e <= tolerance) {
		t.Errorf("the output is off by %.3g, at most %.3g allowed", e, tolerance)
	}
}
