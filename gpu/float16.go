package gpu

import "math"

// Float16 rounds x to the nearest half-precision number, ties to even, and returns its
// bits. Numbers that round to more than 65,504 become infinity, as in torch's conversion.
func Float16(x float32) uint16 {
	b := math.Float32bits(x)
	sign := uint16(b >> 16 & 0x8000)
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000: // NaN
		return sign | 0x7e00
	case b >= 0x477ff000: // rounds to 65,536 or is infinite
		return sign | 0x7c00
	case b < 0x38800000: // subnormal or zero: add 2⁻¹⁴·2¹⁰ so that the rounding is the FPU's
		const magic = uint32((127 - 15 + (23 - 10) + 1) << 23)
		f := math.Float32frombits(b) + math.Float32frombits(magic)
		return sign | uint16(math.Float32bits(f)-magic)
	}
	return sign | uint16((b+0xfff+b>>13&1-0x38000000)>>13)
}

// Float32 returns the value of the half-precision number with the bits h.
func Float32(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp, frac := uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exp {
	case 0:
		f := float32(frac) * (1.0 / (1 << 24))
		return math.Float32frombits(sign | math.Float32bits(f))
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}
