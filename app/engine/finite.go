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
		return "this model's numbers leave float16 here: " + e.Where + " gave numbers that are infinite or none at all, and the picture would be black. In float32 it can be drawn, more slowly"
	}
	return e.Where + " gave numbers that are infinite or none at all, and the picture would be black: the model's file is damaged, or its settings do not suit it; try another scheduler or a lower guidance"
}

// checkFinite looks at a picture's latents and its pixels.
func checkFinite(latents, pixels []float32, f16 bool) error {
	switch {
	case !finite(latents):
		return &NotFiniteError{"the UNet", f16}
	case !finite(pixels):
		return &NotFiniteError{"the VAE", f16}
	}
	return nil
}

// finite reports whether no number has all bits of its exponent set.
func finite(list []float32) bool {
	for _, x := range list {
		if math.Float32bits(x)&0x7f800000 == 0x7f800000 {
			return false
		}
	}
	return true
}
