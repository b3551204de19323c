package engine

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// A picture whose numbers are not finite gives an error that says where, not a black picture.
func TestCheckFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	good := []float32{0, 1, -65504, math.MaxFloat32}
	for _, c := range []struct {
		latents, pixels []float32
		f16             bool
		want            string
	}{
		{good, good, true, ""},
		{[]float32{0, nan}, good, true, "the UNet gave"},
		{good, []float32{inf, 0}, true, "the VAE gave"},
		{good, []float32{nan}, false, "file is damaged"},
	} {
		err := checkFinite(c.latents, c.pixels, c.f16)
		var e *NotFiniteError
		if (err == nil) != (c.want == "") || err != nil && (!errors.As(err, &e) || e.F16 != c.f16 || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
