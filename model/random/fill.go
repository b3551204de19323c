package random

// blockSize is the number of values that torch transforms together. A draw of fewer values
// takes the float64 path.
const blockSize = 16

// fillFloat32 is normal_fill<float> (ATen/native/cpu/DistributionTemplates.h).
// len(data) is at least blockSize.
func (g *Generator) fillFloat32(data []float32) {
	for i := range data {
		data[i] = g.uniformFloat32()
	}
	i := 0
	for ; i+blockSize <= len(data); i += blockSize {
		boxMuller(data[i : i+blockSize])
	}
	if i < len(data) {
		// torch transforms only whole blocks. It draws the last 16 values again, over some
		// that were done already.
		tail := data[len(data)-blockSize:]
		for j := range tail {
			tail[j] = g.uniformFloat32()
		}
		boxMuller(tail)
	}
}

// uniformFloat32 returns a number in [0, 1) made of 24 random bits.
func (g *Generator) uniformFloat32() float32 {
	return float32(g.engine.uint32()&(1<<24-1)) / (1 << 24)
}
