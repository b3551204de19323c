package engine

import "math"

// NotFiniteError says that a picture's numbers became infinite or not a number, so that it
// would be black.
type NotFiniteError struct {
	Where string // "the UNet" or "the VAE"
	F16   bool   // activations were stored as float16
}

func (e *NotFiniteError) Error() string {
	if e.F16 {
		return "this model's numbers exceed the range of float16: " + e.Where + " gave infinities or NaNs, and the picture would be black. It can be drawn in float32, which is slower"
	}
	return e.Where + " gave infinities or NaNs, and the picture would be black: the model's file is damaged, or the settings do not suit the model; try another scheduler or a lower guidance scale"
}

// checkFinite checks a picture's latents and pixels for numbers that are not finite.
func checkFinite(latents, pixels []float32, f16 bool) error {
	switch {
	case !finite(latents):
		return &NotFiniteError{"the UNet", f16}
	case !finite(pixels):
		return &NotFiniteError{"the VAE", f16}
	}
	return nil
}

// finite reports whether all numbers are finite: none has all bits of its exponent set.
func finite(list []float32) bool {
	for _, x := range list {
		if math.Float32bits(x)&0x7f800000 == 0x7f800000 {
			return false
		}
	}
	return true
}
