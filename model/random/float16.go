package random

import "math"

// fillFloat16 is normal_fill for torch's reduced types: the values are drawn
// and transformed in float32, a block at a time, and rounded at the end. So the
// numbers of a whole block are those of float32, but a broken last block is
// drawn without having drawn its first elements before.
func (g *Generator) fillFloat16(data []float32) {
	i := 0
	for ; i+blockSize <= len(data); i += blockSize {
		g.blockFloat16(data[i : i+blockSize])
	}
	if i < len(data) {
		g.blockFloat16(data[len(data)-blockSize:])
	}
}

func (g *Generator) blockFloat16(block []float32) {
	for i := range block {
		block[i] = g.uniformFloat32()
	}
	boxMuller(block)
	for i, x := range block {
		block[i] = roundFloat16(float64(x))
	}
}

// roundFloat16 rounds to the nearest float16, ties to even. It goes through
// float32 first because torch's at::Half does.
func roundFloat16(x float64) float32 {
	f := float32(x)
	const smallestNormal = 1.0 / (1 << 14)
	step := float32(smallestNormal / (1 << 10)) // distance of the subnormals
	if a := math.Abs(float64(f)); a >= smallestNormal {
		_, exponent := math.Frexp(a)
		step = float32(math.Ldexp(1, exponent-11))
	}
	return float32(math.RoundToEven(float64(f/step))) * step
}
