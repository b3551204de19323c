package random

import "math"

// On x86, torch's normal_fill computes log, sin and cos with Cephes' polynomials in float32
// (avx_mathfun.h), eight numbers at a time, and its compiler fuses most products with the
// sum that follows. The code here does both, operation by operation, so that the results are
// the same to the bit. Which products are fused was found by trial. The constants are
// Cephes'.

// boxMuller is normal_fill_16: the first half of a block gives the radii, and the second
// half the angles.
func boxMuller(block []float32) {
	for j := range blockSize / 2 {
		u1 := 1 - block[j] // (0, 1], for the logarithm
		theta := float32(2*math.Pi) * block[j+blockSize/2]
		radius := float32(math.Sqrt(float64(-2 * log(u1))))
		sin, cos := sincos(theta)
		block[j] = radius * cos
		block[j+blockSize/2] = radius * sin
	}
}

// log is log256_ps for a normal (not subnormal) number.
func log(x float32) float32 {
	bits := math.Float32bits(x)
	exponent := float32(int32(bits>>23)-127) + 1
	m := math.Float32frombits(bits&^0x7f800000 | math.Float32bits(0.5)) // [0.5, 1)
	const sqrtHalf = 0.707106781186547524
	if m < sqrtHalf {
		exponent--
		m = m - 1 + m
	} else {
		m--
	}
	y := float32(7.0376836292e-2)
	for _, p := range [...]float32{
		-1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
		-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
	} {
		y = fma(y, m, p)
	}
	z := m * m
	const ln2High, ln2Low = 0.693359375, -2.12194440e-4
	y = fma(float32(y*m), z, float32(exponent*ln2Low))
	y = fma(-z, 0.5, y)
	return fma(exponent, ln2High, m+y)
}

// sincos is sincos256_ps for x of at least 0.
func sincos(x float32) (sin, cos float32) {
	const fourOverPi = 1.27323954473516
	octant := (int32(x*fourOverPi) + 1) &^ 1
	n := float32(octant)
	for _, part := range [...]float32{-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8} {
		x = fma(n, part, x)
	}
	z := x * x

	c := float32(2.443315711809948e-5)
	c = fma(c, z, -1.388731625493765e-3)
	c = fma(c, z, 4.166664568298827e-2)
	c = fma(float32(c*z), z, -float32(z*0.5)) + 1

	s := float32(-1.9515295891e-4)
	s = fma(s, z, 8.3321608736e-3)
	s = fma(s, z, -1.6666654611e-1)
	s = fma(float32(s*z), x, x)

	if octant&2 != 0 {
		s, c = c, s
	}
	if octant&4 != 0 {
		s = -s
	}
	if (octant-2)&4 == 0 {
		c = -c
	}
	return s, c
}

// fma is x*y + z, rounded once. The product of two float32 is exact in float64. The sum is
// rounded to odd there, so that only the second rounding has an effect (Boldo and
// Melquiond, "Emulation of FMA and correctly rounded sums").
func fma(x, y, z float32) float32 {
	p, c := float64(x)*float64(y), float64(z)
	sum := p + c
	t := sum - p
	lost := (p - (sum - t)) + (c - t)
	if bits := math.Float64bits(sum); lost != 0 && bits&1 == 0 {
		if (lost > 0) == (sum > 0) {
			bits++
		} else {
			bits--
		}
		sum = math.Float64frombits(bits)
	}
	return float32(sum)
}
