package gpu

import (
	"math"
	"testing"
)

// Every half-precision number survives conversion to float32 and back, and the middle between
// two neighbours rounds to the even one.
func TestFloat16(t *testing.T) {
	for h := 0; h < 1<<16; h++ {
		f := Float32(uint16(h))
		if math.IsNaN(float64(f)) {
			continue
		}
		if got := Float16(f); got != uint16(h) {
			t.Fatalf("Float16(Float32(%#04x)) = %#04x", h, got)
		}
		if h&0x7fff >= 0x7bff {
			continue
		}
		middle := float32((float64(f) + float64(Float32(uint16(h+1)))) / 2)
		want := uint16(h)
		if h&1 == 1 {
			want++
		}
		if got := Float16(middle); got != want {
			t.Fatalf("Float16 of the middle above %#04x = %#04x, want %#04x", h, got, want)
		}
	}
	if Float16(65520) != 0x7c00 || Float16(65519) != 0x7bff {
		t.Error("numbers from 65,520 on have to become infinity, and smaller ones not")
	}
}
