package gpu

import "fmt"

// Change is what a LoRA adds to a parameter W, [O, I, KH, KW] or [O, I], while it is repacked:
//
//	Scale · F                     with one factor
//	Scale · F₀ ⊙ F₁               with two, element by element (LoHa)
//	Scale · F₀ ⊗ F₁               with two and Kronecker (LoKr)
//
// Every change is computed from W itself, and not from what other changes have made of it, as
// LyCORIS's modules do, so that their order makes no difference. To a vector only a whole factor
// can be added.
type Change struct {
	Name      string  // what it comes from; changes of the same name, scale and strength are the same
	Scale     float64 // with a Magnitude, without the strength
	Factors   []Factor
	Kronecker bool

	// Magnitude makes the change weight-decomposed (DoRA, arXiv 2402.09353): with V = W + the above,
	// it is V · (Strength · (Magnitude/‖V‖ - 1) + 1) - W. The norms are those of the output channels
	// for a magnitude of the shape [O], [O, 1] or [O, 1, 1, 1], and those of the input channels for
	// [1, I] or [1, I, 1, 1].
	Magnitude *Parameter
	Strength  float64
}

// Factor is a matrix [rows, columns], or a convolution kernel, whose columns are [I, KH, KW]. It
// is Whole, or the product of Up and Down, or, with a Core, Up · (Core · Down), which is a Tucker
// decomposition.
type Factor struct {
	Whole *Parameter
	Up    *Parameter // [rows, J], or [J, rows] if Transposed
	Core  *Parameter // [J, K, KH, KW], or nil
	Down  *Parameter // [J, columns], or [K, I] with a Core
	// Transposed says that Up is stored by columns, as LoHa and LoKr store it beside a Core.
	Transposed bool
}

// Parts are the tensors that a change reads.
func (c Change) Parts() (list []Parameter) {
	for _, f := range c.Factors {
		for _, p := range []*Parameter{f.Whole, f.Up, f.Core, f.Down} {
			if p != nil {
				list = append(list, *p)
			}
		}
	}
	if c.Magnitude != nil {
		list = append(list, *c.Magnitude)
	}
	return list
}

// Fits returns an error unless the change can be added to a parameter of that shape.
func (c Change) Fits(shape []int) error {
	for _, p := range c.Parts() {
		if p.ElementBytes() == 0 {
			return p.unsupported()
		}
		if p.Count() == 0 {
			return fmt.Errorf("%s is empty: its shape is %v", p.Name, p.Shape)
		}
	}
	o, i, taps := split3(shape)
	if len(shape) == 1 {
		i = 1
		if len(c.Factors) != 1 || c.Factors[0].Whole == nil || c.Magnitude != nil {
			return fmt.Errorf("%s is not a difference, and only a difference can be added to a vector", c.Name)
		}
	}
	var sizes [][2]int
	for _, f := range c.Factors {
		rows, columns, err := f.size(taps)
		if err != nil {
			return err
		}
		sizes = append(sizes, [2]int{rows, columns})
	}
	want := [2]int{o, i * taps}
	made := sizes[0]
	switch {
	case c.Kronecker:
		made = [2]int{sizes[0][0] * sizes[1][0], sizes[0][1] * sizes[1][1]}
		if sizes[1][1]%taps != 0 {
			return fmt.Errorf("%s: a Kronecker product whose right matrix has %d columns does not fit a kernel of %d taps", c.Name, sizes[1][1], taps)
		}
	case len(sizes) == 2 && sizes[1] != made:
		return fmt.Errorf("%s multiplies a matrix of %v and one of %v element by element", c.Name, made, sizes[1])
	}
	if made != want {
		return fmt.Errorf("%s changes a weight of %d × %d, and the model's has the shape %v", c.Name, made[0], made[1], shape)
	}
	if m := c.Magnitude; m != nil && !c.byOutput(o) && !c.byInput(i) {
		return fmt.Errorf("%s has the shape %v, and the model's weight %v", m.Name, m.Shape, shape)
	}
	return nil
}

// byOutput reports whether the magnitude is that of o output channels.
func (c Change) byOutput(o int) bool { return c.Magnitude.Shape[0] == o && c.Magnitude.Count() == o }

// byInput reports whether the magnitude is that of i input channels.
func (c Change) byInput(i int) bool {
	m := c.Magnitude
	return len(m.Shape) > 1 && m.Shape[1] == i && m.Count() == i
}

// sumsInputs reports whether the magnitude asks for norms over all rows of a weight.
func (c Change) sumsInputs(shape []int) bool { return c.Magnitude != nil && !c.byOutput(shape[0]) }

// split3 is a weight's shape as output channels, input channels and taps.
func split3(shape []int) (o, i, taps int) {
	o, i, taps = shape[0], 1, 1
	if len(shape) > 1 {
		i = shape[1]
	}
	for _, n := range shape[min(2, len(shape)):] {
		taps *= n
	}
	return o, i, taps
}

// size is that of the factor's matrix, whose columns are I · taps.
func (f Factor) size(taps int) (rows, columns int, err error) {
	if f.Whole != nil {
		return f.Whole.Shape[0], f.Whole.Count() / f.Whole.Shape[0], nil
	}
	rows, rank := f.Up.Shape[0], f.Up.Count()/f.Up.Shape[0]
	if f.Transposed {
		rows, rank = rank, rows
	}
	if f.Core == nil {
		if f.Down.Shape[0] != rank {
			err = fmt.Errorf("%s has the rank %d, and %s has the rank %d", f.Up.Name, rank, f.Down.Name, f.Down.Shape[0])
		}
		return rows, f.Down.Count() / f.Down.Shape[0], err
	}
	j, k, t := split3(f.Core.Shape)
	if j != rank || k != f.Down.Shape[0] || t != taps {
		err = fmt.Errorf("%s has the shape %v, which does not fit %v of %s, %v of %s and a kernel of %d taps",
			f.Core.Name, f.Core.Shape, f.Up.Shape, f.Up.Name, f.Down.Shape, f.Down.Name, taps)
	}
	return rows, f.Down.Count() / f.Down.Shape[0] * taps, err
}
