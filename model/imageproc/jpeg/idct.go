package jpeg

// transform turns a plane's coefficients into samples, and frees them.
func (p *Plane) transform(quantization *[64]uint16) {
	p.Stride = 8 * p.columns
	p.Pix = make([]uint8, p.Stride*8*p.rows)
	for y := range p.rows {
		for x := range p.columns {
			var block [64]int32
			for i, v := range p.coeffs[64*(y*p.columns+x):][:64] {
				block[i] = int32(v) * int32(quantization[i])
			}
			inverse(&block)
			for row := range 8 {
				out := p.Pix[(8*y+row)*p.Stride+8*x:][:8]
				for i := range out {
					out[i] = uint8(min(max(block[8*row+i]+128, 0), 255))
				}
			}
		}
	}
	p.coeffs = nil
}

// inverse is the discrete cosine transform's inverse in the form of Loeffler,
// Ligtenberg and Moschytz (ICASSP 1989), with constants of 13 binary places, of
// which 2 are kept between the passes. libjpeg's default is the same.
func inverse(block *[64]int32) {
	const between = 2
	for x := range 8 {
		pass(block[x:], 8, places-between)
	}
	for y := range 8 {
		pass(block[8*y:], 1, places+between+3)
	}
}

const places = 13

// pass transforms 8 values that stand step apart, and drops so many binary
// places of the result.
func pass(v []int32, step, drop int) {
	const (
		c0298, c0390, c0541, c0765 = 2446, 3196, 4433, 6270
		c0899, c1175, c1501, c1847 = 7373, 9633, 12299, 15137
		c1961, c2053, c2562, c3072 = 16069, 16819, 20995, 25172
	)
	// Even part.
	z := (v[2*step] + v[6*step]) * c0541
	t2, t3 := z-v[6*step]*c1847, z+v[2*step]*c0765
	t0, t1 := (v[0]+v[4*step])<<places, (v[0]-v[4*step])<<places
	e0, e1, e2, e3 := t0+t3, t1+t2, t1-t2, t0-t3

	// Odd part.
	a, b, c, d := v[7*step], v[5*step], v[3*step], v[step]
	z1, z2, z3, z4 := a+d, b+c, a+c, b+d
	z5 := (z3 + z4) * c1175
	z1, z2 = -z1*c0899, -z2*c2562
	z3, z4 = -z3*c1961+z5, -z4*c0390+z5
	a = a*c0298 + z1 + z3
	b = b*c2053 + z2 + z4
	c = c*c3072 + z2 + z3
	d = d*c1501 + z1 + z4

	half := int32(1) << (drop - 1)
	for i, pair := range [4][2]int32{{e0, d}, {e1, c}, {e2, b}, {e3, a}} {
		v[i*step] = (pair[0] + pair[1] + half) >> drop
		v[(7-i)*step] = (pair[0] - pair[1] + half) >> drop
	}
}
