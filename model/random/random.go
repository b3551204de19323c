// Package random draws the numbers that torch draws on the CPU, so that a seed
// gives the picture that diffusers gives for it. Philox draws those that torch
// draws on a GPU of NVIDIA's, for seeds of AUTOMATIC1111's web UI.
//
// torch.randn has two ways to fill a tensor, and which one it takes depends on
// the tensor's size (ATen/native/cpu/DistributionTemplates.h, normal_kernel):
// from 16 elements up it draws uniform float32 and transforms them by Box and
// Muller's method in blocks of 16; below that it draws float64 pairs one at a
// time and keeps the second of each pair for the next small draw.
//
// Draws of 16 and more equal torch's to the bit (as torch computes them on x86
// with AVX2 or AVX-512; its portable build differs in the last bits). Smaller
// ones are computed in float64, and equal torch's but for the last bit of the C
// library's sin, cos and log1p, which rounding to float32 hides.
package random

import "math"

// Generator continues torch.Generator(device="cpu") from a seed: draws of any
// sizes, one after the other, give what the same calls give there. It is not
// safe for use by several goroutines at once.
type Generator struct {
	engine mt19937

	// The second value of the last float64 pair, waiting for the next small
	// draw. Large draws leave it alone, as torch does.
	cached    float64
	hasCached bool
}

// New returns a generator in the state that manual_seed(seed) leaves it in.
// torch's Mersenne Twister takes the low 32 bits of the seed; the upper ones
// have no effect there either.
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

// Posterior is Normal: diffusers draws all numbers from one generator.
func (g *Generator) Posterior(n int) []float32 { return g.Normal(n) }

// Normal returns n numbers as torch.randn(n, generator=g) does, float32. Like
// torch, it makes one draw for the whole: Normal(20) followed by Normal(20) is
// not Normal(40). A tensor's shape has no influence; its elements are in torch's
// order (for latents [B, 4, h, w], channels before rows).
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

// NormalFloat16 returns n numbers as torch.randn(n, dtype=torch.float16) does,
// each exactly representable in float16. They agree with the rounded numbers of
// Normal only while n is a multiple of 16.
func (g *Generator) NormalFloat16(n int) []float32 {
	data := make([]float32, n)
	if n < blockSize {
		for i := range data {
			data[i] = roundFloat16(g.normalFloat64())
		}
		return data
	}
	g.fillFloat16(data)
	return data
}

// Randn is diffusers.utils.torch_utils.randn_tensor for a list of generators:
// each draws its own item of the batch, itemSize numbers, and the items follow
// each other. With one generator that generator draws all the batch at once,
// which gives other numbers than drawing item by item.
func Randn(generators []*Generator, batch, itemSize int) []float32 {
	if len(generators) == 1 {
		return generators[0].Normal(batch * itemSize)
	}
	data := make([]float32, 0, batch*itemSize)
	for _, g := range generators[:batch] {
		data = append(data, g.Normal(itemSize)...)
	}
	return data
}

// normalFloat64 is at::normal_distribution<double>
// (ATen/core/DistributionsHelper.h).
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

// uniformFloat64 returns a number in [0, 1) of 53 random bits.
func (g *Generator) uniformFloat64() float64 {
	return float64(g.engine.uint64()&(1<<53-1)) / (1 << 53)
}
