package jpeg

// scan is one pass over some of the planes (B.2.3).
type scan struct {
	bits
	d         *decoder
	planes    []scanPlane
	from, to  int // spectral selection
	high, low int // successive approximation
	run       int // end-of-band run: blocks to come that are all zero
}

type scanPlane struct {
	*Plane
	dc, ac     *huffman
	prediction int
}

func (d *decoder) scan(header []byte) error {
	if d.pic.Planes == nil {
		return bad("its picture comes before its size")
	}
	if len(header) < 1 || len(header) != 4+2*int(header[0]) || header[0] < 1 || header[0] > 4 {
		return bad("a scan's header has %d bytes", len(header))
	}
	count := int(header[0])
	s := &scan{bits: bits{data: d.rest}, d: d}
	tail := header[1+2*count:]
	s.from, s.to, s.high, s.low = int(tail[0]), int(tail[1]), int(tail[2]>>4), int(tail[2]&15)
	if !d.progressive {
		s.from, s.to, s.high, s.low = 0, 63, 0, 0
	}
	if s.from > s.to || s.to > 63 || s.from == 0 && s.to != 0 && d.progressive || s.from > 0 && count > 1 || s.low > 13 || s.high > 14 {
		return bad("a scan from %d to %d, bits %d and %d", s.from, s.to, s.high, s.low)
	}
	for i := range count {
		id, tables := header[1+2*i], header[2+2*i]
		plane, err := d.plane(id)
		if err != nil {
			return err
		}
		if tables>>4 > 3 || tables&15 > 3 {
			return bad("a scan takes tables %d and %d", tables>>4, tables&15)
		}
		p := scanPlane{Plane: plane, dc: d.huffman[0][tables>>4], ac: d.huffman[1][tables&15]}
		if s.from == 0 && s.high == 0 && p.dc == nil || s.to > 0 && p.ac == nil {
			return bad("a Huffman table is missing")
		}
		s.planes = append(s.planes, p)
	}
	if err := s.read(); err != nil {
		return err
	}
	// Zeros that stand for missing data would look grey.
	if s.over > 8 && len(s.data) == 0 {
		return ErrCutOff
	}
	d.rest, d.scanned = s.data, true
	return nil
}

func (d *decoder) plane(id uint8) (*Plane, error) {
	for i := range d.pic.Planes {
		if d.pic.Planes[i].id == id {
			return &d.pic.Planes[i], nil
		}
	}
	return nil, bad("a scan of component %d, which there is not", id)
}

// read goes through the blocks: those of a single plane row by row, and those of several
// planes MCU by MCU (A.2).
func (s *scan) read() error {
	p := &s.d.pic
	across, down := ceil(p.Width, 8*p.MaxH), ceil(p.Height, 8*p.MaxV)
	single := len(s.planes) == 1
	if single {
		across, down = ceil(s.planes[0].Width, 8), ceil(s.planes[0].Height, 8)
	}
	for mcu := range across * down {
		if n := s.d.interval; n > 0 && mcu > 0 && mcu%n == 0 {
			if !s.restart() {
				if len(s.data) == 0 {
					return ErrCutOff
				}
				return bad("a restart marker is missing")
			}
			s.run = 0
			for i := range s.planes {
				s.planes[i].prediction = 0
			}
		}
		if s.over > 1024 { // the rest is missing
			if len(s.data) == 0 {
				return ErrCutOff
			}
			return bad("a scan ends too early")
		}
		x, y := mcu%across, mcu/across
		for i := range s.planes {
			c := &s.planes[i]
			if single {
				if err := s.block(c, x, y); err != nil {
					return err
				}
				continue
			}
			for v := range c.V {
				for h := range c.H {
					if err := s.block(c, x*c.H+h, y*c.V+v); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

func (s *scan) block(c *scanPlane, x, y int) error {
	b := c.coeffs[64*(y*c.columns+x):][:64]
	switch {
	case s.high > 0 && s.from == 0:
		b[0] |= int16(s.take(1) << s.low)
		return nil
	case s.high > 0:
		return s.refine(c, b)
	}
	at := s.from
	if at == 0 {
		size, err := s.decode(c.dc)
		if err != nil {
			return err
		}
		if size > 15 {
			return bad("a coefficient of %d bits", size)
		}
		c.prediction = int(int16(c.prediction + s.signed(int(size))))
		b[0] = int16(c.prediction << s.low)
		at = 1
	}
	if s.run > 0 {
		s.run--
		return nil
	}
	for at <= s.to {
		symbol, err := s.decode(c.ac)
		if err != nil {
			return err
		}
		zeros, size := int(symbol>>4), int(symbol&15)
		if size == 0 && zeros < 15 {
			if zeros > 0 && s.d.progressive {
				s.run = 1<<zeros + s.take(zeros) - 1
			}
			return nil // the rest of the block is zero
		}
		at += zeros
		if at > 63 {
			return bad("a block has more than 64 coefficients")
		}
		if size > 0 {
			b[natural[at]] = int16(s.signed(size) << s.low)
		}
		at++
	}
	return nil
}

// refine adds a bit to a block's coefficients (G.1.2.3).
func (s *scan) refine(c *scanPlane, b []int16) error {
	bit := int16(1) << s.low
	at := s.from
	for s.run == 0 && at <= s.to {
		symbol, err := s.decode(c.ac)
		if err != nil {
			return err
		}
		zeros, size := int(symbol>>4), symbol&15
		var fresh int16
		switch {
		case size == 1:
			fresh = -bit
			if s.take(1) == 1 {
				fresh = bit
			}
		case size > 1:
			return bad("a refinement of %d bits", size)
		case zeros < 15:
			s.run = 1<<zeros + s.take(zeros)
			zeros = 64 // to the block's end
		}
		if s.run > 0 {
			break
		}
		at = s.correct(b, at, zeros, bit)
		if at > s.to {
			if fresh != 0 {
				return bad("a coefficient is behind its band")
			}
			break
		}
		if fresh != 0 {
			b[natural[at]] = fresh
		}
		at++
	}
	if s.run > 0 {
		s.run--
		s.correct(b, at, 64, bit)
	}
	return nil
}

// correct reads a bit for each coefficient that is not zero, passes so many that
// are, and returns the place of the next zero.
func (s *scan) correct(b []int16, at, zeros int, bit int16) int {
	for ; at <= s.to; at++ {
		v := &b[natural[at]]
		if *v == 0 {
			if zeros == 0 {
				return at
			}
			zeros--
			continue
		}
		if s.take(1) == 1 && *v&bit == 0 {
			if *v > 0 {
				*v += bit
			} else {
				*v -= bit
			}
		}
	}
	return at
}
