package random

import "math"

// Generator draws the numbers of a torch.Generator(device="cpu"): draws of any sizes, one after
// the other, give what the same calls give in torch. It is not safe for concurrent use.
type Generator struct {
	engine mt19937

	// The second value of the last float64 pair, waiting for the next small
	// draw. Large draws leave it alone, as torch does.
	cached    float64
	hasCached bool
}

// New returns a generator in the state after manual_seed(seed). As in torch, only the low 32
// bits of the seed have an effect.
func New(seed uint64) *Generator {
	g := &Generator{}
	g.engine.seed(uint32(seed))
	return g
}

// Source draws the random numbers of one picture.
type Source interface {
	// Normal returns n numbers for the picture's latents.
	Normal(n int) []float32
	// Posterior returns n numbers for the sample of a VAE's posterior.
	Posterior(n int) []float32
}

// Posterior returns the same as Normal, because diffusers draws all numbers from one generator.
func (g *Generator) Posterior(n int) []float32 { return g.Normal(n) }

// Normal returns n float32 numbers as torch.randn(n, generator=g) does. Like torch, it makes a
// single draw: Normal(20) followed by Normal(20) is not Normal(40). A tensor's shape has no
// influence. Its elements are in torch's order (for latents [B, 4, h, w], channels before
// rows).
func (g *Generator) Normal(n int) []float32 {
	data := make([]float32, n)
	if n < blockSize {
		for i := range data {
			data[i] = float32(g.normalFloat64())
		}
		return data
	}
	g.fillFloat32(data)
	return data
}

// normalFloat64 is at::normal_distribution<double> (ATen/core/DistributionsHelper.h).
func (g *Generator) normalFloat64() float64 {
	if g.hasCached {
		g.hasCached = false
		return g.cached
	}
	u1 := g.uniformFloat64()
	u2 := g.uniformFloat64()
	radius := math.Sqrt(-2 * math.Log1p(-u2))
	theta := 2 * math.Pi * u1
	g.cached, g.hasCached = radius*math.Sin(theta), true
	return radius * math.Cos(theta)
}

// uniformFloat64 returns a number in [0, 1) made of 53 random bits.
func (g *Generator) uniformFloat64() float64 {
	return float64(g.engine.uint64()&(1<<53-1)) / (1 << 53)
}

// NumpyUniform returns a number in [0, 1) as numpy.random.uniform draws it after numpy.random.seed(seed). numpy has the same
// generator as torch, and takes its bits in another order (random_double in mt19937.h).
func (g *Generator) NumpyUniform() float64 {
	high, low := g.engine.uint32()>>5, g.engine.uint32()>>6
	return (float64(high)*(1<<26) + float64(low)) / (1 << 53)
}
