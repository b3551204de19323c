package jpeg

// huffman is a code (annex C).
type huffman struct {
	values []uint8
	// By length of the code, 1 to 16: the first code, one more than the last, and
	// where its value is.
	first, end, at [17]int
	quick          [256]uint16 // by the next 8 bits: length and value, or 0
}

// huffmanTables is B.2.4.2.
func (d *decoder) huffmanTables(data []byte) error {
	for len(data) > 0 {
		class, to := data[0]>>4, data[0]&15
		if class > 1 || to > 3 || len(data) < 17 {
			return bad("a Huffman table is short or has number %d", to)
		}
		h := &huffman{}
		code, count := 0, 0
		for length := 1; length <= 16; length++ {
			n := int(data[length])
			h.first[length], h.end[length], h.at[length] = code, code+n, count
			code, count = (code+n)<<1, count+n
			if code > 1<<(length+1) {
				return bad("a Huffman table has too many codes of length %d", length)
			}
		}
		if count > 256 || len(data) < 17+count {
			return bad("a Huffman table has %d values", count)
		}
		h.values = data[17 : 17+count]
		for length := 1; length <= 8; length++ {
			for c := h.first[length]; c < h.end[length]; c++ {
				v := h.values[h.at[length]+c-h.first[length]]
				for fill := range 1 << (8 - length) {
					h.quick[c<<(8-length)|fill] = uint16(length)<<8 | uint16(v)
				}
			}
		}
		d.huffman[class][to] = h
		data = data[17+count:]
	}
	return nil
}

// bits reads a scan's data.
type bits struct {
	data  []byte
	acc   uint32
	n     int
	ended bool // a marker was met, or the end: zeros follow
	over  int  // zeros that were made up, in bytes
}

func (b *bits) fill(n int) {
	for b.n < n {
		var v byte
		switch {
		case b.ended:
			b.over++
		case len(b.data) == 0:
			b.ended = true
			b.over++
		case b.data[0] != 0xff:
			v, b.data = b.data[0], b.data[1:]
		case len(b.data) >= 2 && b.data[1] == 0: // a stuffed byte
			v, b.data = 0xff, b.data[2:]
		case len(b.data) >= 2 && b.data[1] == 0xff: // a fill byte
			b.data = b.data[1:]
			continue
		default:
			b.ended = true
			b.over++
		}
		b.acc = b.acc<<8 | uint32(v)
		b.n += 8
	}
}

// take returns the next n bits, at most 16.
func (b *bits) take(n int) int {
	if n == 0 {
		return 0
	}
	b.fill(n)
	b.n -= n
	return int(b.acc>>b.n) & (1<<n - 1)
}

// signed returns a value of n bits (F.2.2.1, EXTEND).
func (b *bits) signed(n int) int {
	if n == 0 {
		return 0
	}
	v := b.take(n)
	if v < 1<<(n-1) {
		v += -1<<n + 1
	}
	return v
}

func (b *bits) decode(h *huffman) (uint8, error) {
	b.fill(8)
	if q := h.quick[b.acc>>(b.n-8)&0xff]; q != 0 {
		b.n -= int(q >> 8)
		return uint8(q), nil
	}
	b.fill(16)
	for length := 9; length <= 16; length++ {
		code := int(b.acc>>(b.n-length)) & (1<<length - 1)
		if code < h.end[length] && code >= h.first[length] {
			b.n -= length
			return h.values[h.at[length]+code-h.first[length]], nil
		}
	}
	return 0, bad("a code that is in no table")
}

// restart begins anew behind the next restart marker (F.2.1.3.1).
func (b *bits) restart() bool {
	for i := 0; i+1 < len(b.data); i++ {
		if b.data[i] == 0xff && b.data[i+1] >= rst0 && b.data[i+1] <= rst7 {
			*b = bits{data: b.data[i+2:]}
			return true
		}
		if b.data[i] == 0xff && b.data[i+1] != 0 && b.data[i+1] != 0xff {
			return false
		}
	}
	return false
}
