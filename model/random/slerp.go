package random

import "math"

// Slerp turns the noise of one picture towards that of another, as far as t says: 0 is from, and 1 is to. Both are
// [channels, height, width]. It is what the variation seed of AUTOMATIC1111's web UI does (slerp in its modules/rng.py, as
// ImageRNG.first calls it): each column of each channel is a vector that is turned by itself, so that its length stays
// about that of noise.
//
// Where two columns have one direction or opposite ones, as all of them have at a height of 1, there is no angle between them
// to divide, and they are mixed in a straight line. A1111 gives no number there.
func Slerp(from, to []float32, t float64, height, width int) []float32 {
	out := make([]float32, len(from))
	for at := 0; at < len(from); at += height * width {
		for x := range width {
			a, b := between(from[at+x:], to[at+x:], height, width, t)
			for i := at + x; i < at+height*width; i += width {
				out[i] = float32(a*float64(from[i]) + b*float64(to[i]))
			}
		}
	}
	return out
}

// between returns by how much two columns are multiplied.
func between(from, to []float32, height, width int, t float64) (a, b float64) {
	var dot, lengthFrom, lengthTo float64
	for i := 0; i < height*width; i += width {
		x, y := float64(from[i]), float64(to[i])
		dot += x * y
		lengthFrom += x * x
		lengthTo += y * y
	}
	cos := dot / math.Sqrt(max(lengthFrom*lengthTo, math.SmallestNonzeroFloat64))
	const parallel = 1 - 1e-9
	if math.Abs(cos) > parallel {
		return 1 - t, t
	}
	angle := math.Acos(cos)
	return math.Sin((1-t)*angle) / math.Sin(angle), math.Sin(t*angle) / math.Sin(angle)
}
