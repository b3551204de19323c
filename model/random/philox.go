package random

import (
	"math"
	"math/bits"
)

// Philox draws the numbers that torch.randn(n, device="cuda") draws after manual_seed(seed).
// They are the noise of a picture that AUTOMATIC1111's web UI made with its usual source of
// random numbers, the GPU ("RNG" is GPU or NV). Philox is not safe for concurrent use.
//
// Every element has its own thread, which takes four words of Philox-4x32-10 (Salmon and
// others, "Parallel random numbers: as easy as 1, 2, 3", 2011) for each draw and uses two of
// them. torch divides the elements in this way as long as the GPU has enough threads, which
// on large cards means up to about 270,000 elements. A1111's NV and this type always do.
//
// CUDA computes the logarithm, the sine and the cosine in float32 with its own rounding. Here
// they are computed in float64, so a number may differ from a GPU's in its last bits.
type Philox struct {
	seed  uint64
	draws uint32 // the number of draws so far, which is the counter's lowest word
	cpu   *Generator
}

// NewPhilox returns a generator in the state after torch.cuda.manual_seed(seed).
func NewPhilox(seed uint64) *Philox { return &Philox{seed: seed, cpu: New(seed)} }

// Normal returns n numbers as torch.randn(n, device="cuda") does, float32.
func (p *Philox) Normal(n int) []float32 {
	data := make([]float32, n)
	for i := range data {
		words := philox([4]uint32{p.draws, 0, uint32(i), uint32(uint64(i) >> 32)}, p.seed)
		data[i] = cudaNormal(words[0], words[1])
	}
	p.draws++
	return data
}

// Posterior returns numbers for the sample of a VAE's posterior. A1111 draws them on the CPU,
// from a generator that its users cannot seed. Those returned here depend only on the seed.
func (p *Philox) Posterior(n int) []float32 { return p.cpu.Normal(n) }

// philox is Philox-4x32 with 10 rounds.
func philox(counter [4]uint32, seed uint64) [4]uint32 {
	const (
		multiplier0, multiplier1 = 0xd2511f53, 0xcd9e8d57
		weyl0, weyl1             = 0x9e3779b9, 0xbb67ae85
	)
	key0, key1 := uint32(seed), uint32(seed>>32)
	for range 10 {
		high0, low0 := bits.Mul32(multiplier0, counter[0])
		high1, low1 := bits.Mul32(multiplier1, counter[2])
		counter = [4]uint32{high1 ^ counter[1] ^ key0, low1, high0 ^ counter[3] ^ key1, low0}
		key0 += weyl0
		key1 += weyl1
	}
	return counter
}

// cudaNormal returns the first of the two numbers that cuRAND makes from two words by Box and
// Muller's method. As in cuRAND, the words are scaled in float32 to the middles of 2³²
// intervals.
func cudaNormal(a, b uint32) float32 {
	const width = 1.0 / (1 << 32)
	u := fma(float32(a), width, width/2)
	v := fma(float32(b), float32(2*math.Pi*width), float32(math.Pi*width))
	return float32(math.Sqrt(-2*math.Log(float64(u))) * math.Sin(float64(v)))
}
