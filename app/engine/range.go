package engine

import (
	"errors"
	"math"

	"github.com/imprompt/imprompt/model/pipeline"
)

// RangeError says that a picture's numbers left the range of their type, so that the picture
// would be black, or wrong in places.
type RangeError struct {
	Where string // the network: "UNet" or "VAE decoder"
	What  string // what is wrong with its numbers
	F16   bool   // its activations were float16: float32 has room for them
}

func (e *RangeError) Error() string {
	if e.F16 {
		return "this model's numbers leave float16 here: the " + e.Where + " gave " + e.What + ". The picture can be drawn in float32, which is slower"
	}
	return "the " + e.Where + " gave " + e.What + ", and the picture would be black: the model's file is damaged, or the settings do not suit the model. Try another scheduler or a lower guidance scale"
}

// InRange calls draw. If the model's numbers leave float16 before a picture is finished, it
// says so and calls draw once more, now with float32, for which the GPU has to be opened
// without shader-f16. draw returns how many pictures it finished.
func InRange(draw func(float32 bool) (finished int, err error), say func(text string)) error {
	finished, err := draw(false)
	var e *RangeError
	if finished > 0 || !errors.As(err, &e) || !e.F16 {
		return err
	}
	say("This model's numbers leave float16 here: the " + e.Where + " gave " + e.What + ". The picture is drawn again in float32, which takes longer.")
	_, err = draw(true)
	return err
}

const (
	notFinite = "infinities or NaNs"
	cutOff    = "numbers beyond 65,504, where float16 ends"
)

// checkRange checks a picture for numbers that are not finite, and for those that were cut
// off at the end of float16's range.
func checkRange(r pipeline.Result, f16 bool) error {
	switch {
	case !finite(r.Latents):
		return &RangeError{"UNet", notFinite, f16}
	case !finite(r.Pixels):
		return &RangeError{"VAE decoder", notFinite, f16}
	case r.Saturated != "":
		return &RangeError{r.Saturated, cutOff, true}
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
