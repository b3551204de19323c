package engine

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/model/pipeline"
)

// A picture whose numbers are not finite, or were cut off, gives an error that says where,
// not a wrong picture.
func TestCheckRange(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	good := []float32{0, 1, -65504, math.MaxFloat32}
	for _, c := range []struct {
		latents, pixels []float32
		saturated       string
		f16             bool
		want            string
	}{
		{good, good, "", true, ""},
		{[]float32{0, nan}, good, "", true, "leave float16 here: the UNet gave infinities"},
		{good, []float32{inf, 0}, "UNet", true, "the VAE decoder gave infinities"},
		{good, []float32{nan}, "", false, "file is damaged"},
		{good, good, "VAE decoder", true, "leave float16 here: the VAE decoder gave numbers beyond 65,504"},
	} {
		err := checkRange(pipeline.Result{Latents: c.latents, Pixels: c.pixels, Saturated: c.saturated}, c.f16)
		var e *RangeError
		if (err == nil) != (c.want == "") || err != nil && (!errors.As(err, &e) || e.F16 != c.f16 || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// A picture that leaves float16 is drawn once more, and nothing else is.
func TestInRange(t *testing.T) {
	leaves, damaged := &RangeError{"UNet", cutOff, true}, &RangeError{"UNet", notFinite, false}
	for _, c := range []struct {
		errs     []error // of each try
		finished int     // before the first
		want     error
	}{
		{[]error{nil}, 2, nil},
		{[]error{leaves, nil}, 0, nil},
		{[]error{leaves}, 1, leaves},
		{[]error{damaged}, 0, damaged},
		{[]error{leaves, damaged}, 0, damaged},
	} {
		tries, said := 0, 0
		err := InRange(func(float32 bool) (int, error) {
			if float32 != (tries > 0) {
				t.Errorf("try %d with float32 %t", tries, float32)
			}
			tries++
			return c.finished, c.errs[tries-1]
		}, func(string) { said++ })
		if err != c.want || tries != len(c.errs) || said != tries-1 {
			t.Errorf("%+v: %d tries, %v", c, tries, err)
		}
	}
}
