package jpeg

import (
	"encoding/binary"
	"math"
)

// Decode reads a file. maxPixels bounds the picture's size: nothing is allocated
// for a larger one. The error is ErrCutOff, an UnsupportedError, or says what is
// wrong with the file.
func Decode(file []byte, maxPixels int) (*Picture, error) {
	d := &decoder{rest: file, maxPixels: maxPixels}
	if err := d.segments(); err != nil {
		return nil, err
	}
	var err error
	if d.pic.Colour, err = d.colour(); err != nil {
		return nil, err
	}
	for i := range d.pic.Planes {
		p := &d.pic.Planes[i]
		p.transform(&d.quantization[p.table])
	}
	return &d.pic, nil
}

// Size reads a picture's size from the head of a file.
func Size(file []byte) (width, height int, err error) {
	d := &decoder{rest: file, maxPixels: math.MaxInt, headOnly: true}
	if err := d.segments(); err != nil {
		return 0, 0, err
	}
	return d.pic.Width, d.pic.Height, nil
}

type decoder struct {
	rest      []byte // of the file
	maxPixels int
	headOnly  bool // stops behind the frame's header
	pic       Picture

	progressive  bool
	jfif, adobe  bool
	transform    uint8 // of Adobe's marker
	interval     int   // MCUs between restart markers, 0 for none
	scanned      bool  // whether there was a scan
	quantization [4][64]uint16
	huffman      [2][4]*huffman // [DC or AC]
}

// Markers (table B.1).
const (
	soi, eoi, sos    = 0xd8, 0xd9, 0xda
	dht, dqt, dri    = 0xc4, 0xdb, 0xdd
	sof0, sof2, dac  = 0xc0, 0xc2, 0xcc
	rst0, rst7, dnl  = 0xd0, 0xd7, 0xdc
	app0, app14, tem = 0xe0, 0xee, 0x01
)

// segments reads all up to the end of the picture.
func (d *decoder) segments() error {
	if len(d.rest) < 2 || d.rest[0] != 0xff || d.rest[1] != soi {
		return bad("it does not begin as one")
	}
	d.rest = d.rest[2:]
	for {
		marker, ok := d.marker()
		if !ok {
			return ErrCutOff
		}
		switch {
		case marker == eoi:
			if !d.scanned {
				return bad("there is no picture in it")
			}
			return nil
		case marker >= rst0 && marker <= rst7 || marker == soi || marker == tem || marker == 0:
			continue // they have no content
		}
		if len(d.rest) < 2 {
			return ErrCutOff
		}
		length := int(binary.BigEndian.Uint16(d.rest))
		if length < 2 {
			return bad("a segment has length %d", length)
		}
		if length > len(d.rest) {
			return ErrCutOff
		}
		segment := d.rest[2:length]
		d.rest = d.rest[length:]
		if err := d.segment(marker, segment); err != nil {
			return err
		}
		if d.headOnly && d.pic.Planes != nil {
			return nil
		}
	}
}

// marker finds the next one. What is not a marker is passed over, as by all
// decoders.
func (d *decoder) marker() (uint8, bool) {
	for i := 0; i+1 < len(d.rest); i++ {
		if d.rest[i] == 0xff && d.rest[i+1] != 0xff && d.rest[i+1] != 0 {
			m := d.rest[i+1]
			d.rest = d.rest[i+2:]
			return m, true
		}
	}
	return 0, false
}

func (d *decoder) segment(marker uint8, data []byte) error {
	switch {
	case marker == sof0 || marker == sof0+1 || marker == sof2:
		d.progressive = marker == sof2
		return d.frame(data)
	case marker == sof0+3:
		return UnsupportedError("lossless JPEG")
	case marker >= 0xc9 && marker <= 0xcb || marker == dac:
		return UnsupportedError("a JPEG with arithmetic coding")
	case marker >= 0xc5 && marker <= 0xcf && marker != 0xc8:
		return UnsupportedError("hierarchical JPEG")
	case marker == dht:
		return d.huffmanTables(data)
	case marker == dqt:
		return d.quantizationTables(data)
	case marker == dri:
		if len(data) < 2 {
			return bad("a short restart interval")
		}
		d.interval = int(binary.BigEndian.Uint16(data))
	case marker == app0:
		d.jfif = d.jfif || len(data) >= 5 && string(data[:5]) == "JFIF\x00"
	case marker == app14:
		if len(data) >= 12 && string(data[:5]) == "Adobe" {
			d.adobe, d.transform = true, data[11]
		}
	case marker == dnl:
		return UnsupportedError("a JPEG whose height stands behind the picture")
	case marker == sos:
		return d.scan(data)
	}
	return nil // of programs, or a comment
}

// frame is B.2.2.
func (d *decoder) frame(data []byte) error {
	p := &d.pic
	switch {
	case p.Planes != nil:
		return bad("it has two frames")
	case len(data) < 6 || len(data) != 6+3*int(data[5]):
		return bad("its frame's header has %d bytes", len(data))
	case data[0] != 8:
		return UnsupportedError("a JPEG of " + map[bool]string{true: "12", false: "an odd number of"}[data[0] == 12] + " bits a sample")
	}
	p.Height, p.Width = int(binary.BigEndian.Uint16(data[1:])), int(binary.BigEndian.Uint16(data[3:]))
	count := int(data[5])
	switch {
	case p.Height == 0:
		return UnsupportedError("a JPEG whose height stands behind the picture")
	case p.Width == 0 || count == 0:
		return bad("it is empty")
	case p.Width > d.maxPixels/p.Height:
		return bad("it has %d × %d pixels", p.Width, p.Height)
	case count != 1 && count != 3 && count != 4:
		return UnsupportedError("a JPEG of an unusual number of colour components")
	}
	p.Planes = make([]Plane, count)
	for i := range p.Planes {
		c, spec := &p.Planes[i], data[6+3*i:]
		*c = Plane{id: spec[0], H: int(spec[1] >> 4), V: int(spec[1] & 15), table: spec[2]}
		if c.H < 1 || c.H > 4 || c.V < 1 || c.V > 4 || c.table > 3 {
			return bad("component %d has sampling %d × %d and table %d", i+1, c.H, c.V, c.table)
		}
		p.MaxH, p.MaxV = max(p.MaxH, c.H), max(p.MaxV, c.V)
	}
	across, down := ceil(p.Width, 8*p.MaxH), ceil(p.Height, 8*p.MaxV) // MCUs
	for i := range p.Planes {
		c := &p.Planes[i]
		c.Width, c.Height = ceil(p.Width*c.H, p.MaxH), ceil(p.Height*c.V, p.MaxV)
		c.columns, c.rows = across*c.H, down*c.V
		if !d.headOnly {
			c.coeffs = make([]int16, 64*c.columns*c.rows)
		}
	}
	return nil
}

func ceil(a, b int) int { return (a + b - 1) / b }

// quantizationTables is B.2.4.1. The tables are kept in natural order.
func (d *decoder) quantizationTables(data []byte) error {
	for len(data) > 0 {
		precision, to := data[0]>>4, data[0]&15
		size := 64 * (1 + int(precision))
		if precision > 1 || to > 3 || len(data) < 1+size {
			return bad("a quantization table is short or has number %d", to)
		}
		for i := range 64 {
			v := uint16(data[1+i])
			if precision == 1 {
				v = binary.BigEndian.Uint16(data[1+2*i:])
			}
			d.quantization[to][natural[i]] = v
		}
		data = data[1+size:]
	}
	return nil
}

// natural is where the coefficients of the zigzag order belong (figure A.6).
var natural = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10,
	17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34,
	27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36,
	29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46,
	53, 60, 61, 54, 47, 55, 62, 63,
}
