package random

import (
	"math"
	"slices"
	"testing"
)

// Each column of a channel is turned in the plane of its two noises: (1, 0) a third of the way to (0, 1) is (cos 30°, sin 30°).
func TestSlerpTurnsColumns(t *testing.T) {
	// Two channels of 2 × 2. The columns are (1, 0) and (0, 2), then (3, 0) and (1, 1).
	from := []float32{1, 0, 0, 2, 3, 1, 0, 1}
	to := []float32{0, 5, 1, 0, 0, 1, 3, -1}
	c, s := math.Cos(math.Pi/6), math.Sin(math.Pi/6)
	want := []float64{c, 5 * s, s, 2 * c, 3 * c, c + s, 3 * s, c - s}
	for i, v := range Slerp(from, to, 1.0/3, 2, 2) {
		if math.Abs(float64(v)-want[i]) > 1e-6 {
			t.Errorf("number %d is %v, want %v", i, v, want[i])
		}
	}
}

func TestSlerpsEnds(t *testing.T) {
	const height, width = 6, 5
	from, to := New(1).Normal(4*height*width), New(2).Normal(4*height*width)
	if !slices.Equal(Slerp(from, to, 0, height, width), from) {
		t.Error("at 0 it is not the first noise")
	}
	if !slices.Equal(Slerp(from, to, 1, height, width), to) {
		t.Error("at 1 it is not the second noise")
	}
	for i, v := range Slerp(from, from, 0.3, height, width) {
		if math.Abs(float64(v-from[i])) > 1e-6 {
			t.Fatalf("one noise towards itself: number %d is %v, not %v", i, v, from[i])
		}
	}
}

// The columns of a row of latents are single numbers.
func TestSlerpWithoutAnAngle(t *testing.T) {
	for i, v := range Slerp([]float32{1, 2}, []float32{-3, 4}, 0.25, 1, 2) {
		if want := []float32{0, 2.5}[i]; v != want {
			t.Errorf("number %d is %v, want %v", i, v, want)
		}
	}
}
