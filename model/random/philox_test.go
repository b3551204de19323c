package random

import (
	"math"
	"testing"
)

// The known answers that the authors publish with Random123 (kat_vectors, philox4x32 10).
func TestPhiloxKnownAnswers(t *testing.T) {
	for _, tc := range []struct {
		counter [4]uint32
		key     uint64
		want    [4]uint32
	}{
		{[4]uint32{}, 0, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{math.MaxUint32, math.MaxUint32, math.MaxUint32, math.MaxUint32}, math.MaxUint64, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822, [4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := philox(tc.counter, tc.key); got != tc.want {
			t.Errorf("%x, key %x gives %x, want %x", tc.counter, tc.key, got, tc.want)
		}
	}
}

// The result of torch.manual_seed(0); torch.randn(3, 4, device="cuda"), as A1111 documents it
// for its NV source. NV computes in float64, but a GPU rounds to float32 before the
// logarithm, which makes a difference of up to 1e-6.
func TestPhiloxDrawsAsTorchOnAGPU(t *testing.T) {
	want := []float64{-0.92466259, -0.42534415, -2.6438457, 0.14518388, -0.12086647, -0.57972564, -0.62285122, -0.32838709, -1.07454231, -0.36314407, -1.67105067, 2.26550497}
	g := NewPhilox(0)
	for i, x := range g.Normal(len(want)) {
		if math.Abs(float64(x)-want[i]) > 1e-6 {
			t.Errorf("number %d is %.8f, want %.8f", i, x, want[i])
		}
	}
	first := NewPhilox(0).Normal(12)
	for i, x := range g.Normal(12) {
		if x == first[i] {
			t.Errorf("the second draw repeats number %d", i)
		}
	}
}

func TestPhiloxIsNormal(t *testing.T) {
	var sum, squares float64
	const n = 1 << 16
	for _, x := range NewPhilox(123456789012345).Normal(n) {
		sum += float64(x)
		squares += float64(x) * float64(x)
	}
	if mean, variance := sum/n, squares/n; math.Abs(mean) > 0.02 || math.Abs(variance-1) > 0.03 {
		t.Errorf("mean %v, variance %v", mean, variance)
	}
}
