package gpu

import (
	"context"
	"fmt"
	"slices"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// Staged is some rows of a parameter on their way to the weights.
type Staged struct {
	Buffer    *Buffer
	Row, Rows int
	source    int // the code of its type
}

// merge adds changes to a parameter, in f32, on the GPU. The factors are read once, and the
// parameter's rows are changed as they come.
type merge struct {
	device       *Device
	param        Parameter
	inputs, taps int
	terms        []*term            // once begin has read the changes
	factors      []*Buffer          // on the GPU as long as the parameter is repacked
	staging      []*Buffer          // bytes of files, until the next program has run
	scratch      map[string]*Buffer // f32, shared by all pieces
	bytes        int64              // of files, that passed since the last call of ran
}

// term is a Change whose factors are on the GPU.
type term struct {
	Change
	factors   []factor
	magnitude *Buffer
	norm      *Buffer // by input channel: sums over all rows
}

// factor is a Factor on the GPU: whole, or the product a · b.
type factor struct {
	Factor
	whole         *Buffer
	a, b          *Buffer
	row, column   int // the distances of a's rows and columns
	rank, columns int
}

// newMerge is for a parameter with changes. It begins to read all of their tensors at once, while the
// parameter itself is read, because from a server each of them takes as long as the parameter.
func (d *Device) newMerge(ctx context.Context, param Parameter) *merge {
	m := &merge{device: d, param: param, scratch: map[string]*Buffer{}}
	_, m.inputs, m.taps = split3(param.Shape)
	m.param.Changes = slices.Clone(param.Changes)
	for i := range m.param.Changes {
		c := &m.param.Changes[i]
		c.Factors = slices.Clone(c.Factors)
		for k := range c.Factors {
			f := &c.Factors[k]
			f.Up, f.Core, f.Down = ahead(ctx, f.Up), ahead(ctx, f.Core), ahead(ctx, f.Down)
			if len(c.Factors) > 1 {
				f.Whole = ahead(ctx, f.Whole) // a single one is read with the rows that it is added to
			}
		}
		c.Magnitude = ahead(ctx, c.Magnitude)
	}
	return m
}

// ahead begins to read all of a tensor. It returns the tensor with a Read whose first call waits for these
// bytes.
func ahead(ctx context.Context, p *Parameter) *Parameter {
	if p == nil || p.ElementBytes() == 0 {
		return p
	}
	type read struct {
		bytes webapi.Bytes
		err   error
	}
	got, size, taken := make(chan read, 1), int64(p.Count()*p.ElementBytes()), false
	go func() {
		b, err := p.Read(ctx, 0, size)
		got <- read{b, err}
	}()
	q := *p
	q.Read = func(ctx context.Context, off, n int64) (webapi.Bytes, error) {
		if taken || off != 0 || n != size {
			return p.Read(ctx, off, n)
		}
		taken = true
		r := <-got
		return r.bytes, r.err
	}
	return &q
}

// begin reads the parameter's changes and records into p, the first program, what prepares them.
// After that it does nothing.
func (m *merge) begin(ctx context.Context, p *Program) error {
	if m.terms != nil {
		return nil
	}
	for _, c := range m.param.Changes {
		if err := c.Fits(m.param.Shape); err != nil {
			return fmt.Errorf("%s: %w", m.param.Name, err)
		}
		t := &term{Change: c}
		m.terms = append(m.terms, t)
		for _, f := range c.Factors {
			made, err := m.prepare(ctx, p, f, len(c.Factors) > 1)
			if err != nil {
				return err
			}
			t.factors = append(t.factors, made)
		}
		if c.Kronecker {
			for i := range t.factors {
				t.factors[i].whole = m.multiplied(p, t.factors[i])
			}
		}
		if c.Magnitude != nil {
			var err error
			if t.magnitude, err = m.widened(ctx, p, *c.Magnitude); err != nil {
				return err
			}
		}
	}
	return nil
}

// prepare brings a factor to the GPU. A whole one that is added by itself is read with the
// rows that it is added to.
func (m *merge) prepare(ctx context.Context, p *Program, f Factor, several bool) (made factor, err error) {
	made.Factor = f
	if f.Whole != nil {
		if several {
			made.whole, err = m.widened(ctx, p, *f.Whole)
			made.columns = f.Whole.Count() / f.Whole.Shape[0]
		}
		return made, err
	}
	if made.a, err = m.widened(ctx, p, *f.Up); err != nil {
		return made, err
	}
	if made.b, err = m.widened(ctx, p, *f.Down); err != nil {
		return made, err
	}
	made.rank, made.columns = f.Down.Shape[0], f.Down.Count()/f.Down.Shape[0]
	if f.Core != nil {
		core, err := m.widened(ctx, p, *f.Core)
		if err != nil {
			return made, err
		}
		inputs, taps := made.columns, f.Core.Count()/(f.Core.Shape[0]*made.rank)
		count := f.Core.Shape[0] * inputs * taps
		b := m.kept("core · down", count)
		groups, stride := grid1D(m.device, count, 64)
		p.Dispatch(Dispatch{
			Kernel: "merge_tucker", Label: f.Core.Name,
			Params: []Param{{"count", count}, {"stride", stride}, {"inputs", inputs}, {"taps", taps}, {"rank", made.rank}},
			Bind:   []Binding{Read("core", core), Read("down", made.b), Write("b", b)},
			Groups: groups, Cost: 2 * float64(count*made.rank),
		})
		made.b, made.rank, made.columns = b, f.Core.Shape[0], inputs*taps
	}
	made.row, made.column = made.rank, 1
	if f.Transposed {
		made.row, made.column = 1, f.Up.Count()/made.rank
	}
	return made, nil
}

// multiplied is a factor as one matrix.
func (m *merge) multiplied(p *Program, f factor) *Buffer {
	if f.whole != nil {
		return f.whole
	}
	rows := f.Up.Count() / f.rank
	y := m.kept("factor", rows*f.columns)
	m.product(p, f, y, nil, 0, rows, 1, false)
	return y
}

// norms records the sums of squares by input channel, of those changes whose magnitude asks
// for them. They are over all rows, so this is a pass over the parameter of its own.
func (m *merge) norms(ctx context.Context, p *Program, s Staged) error {
	if err := m.begin(ctx, p); err != nil {
		return err
	}
	for _, t := range m.terms {
		if !t.sumsInputs(m.param.Shape) {
			continue
		}
		w, err := m.decomposed(ctx, p, t, s)
		if err != nil {
			return err
		}
		if t.norm == nil {
			t.norm = m.kept("norms", m.inputs)
		}
		m.norm(p, w, t.norm, s.Rows, true, s.Row > 0)
	}
	return nil
}

// apply records the changes to some rows and returns the changed rows, in f32.
func (m *merge) apply(ctx context.Context, p *Program, s Staged) (Staged, error) {
	if err := m.begin(ctx, p); err != nil {
		return s, err
	}
	count := s.Rows * m.inputs * m.taps
	sum := m.temporary("merged", count)
	widen(p, s.Buffer, s.source, sum, count, 1, false)
	for _, t := range m.terms {
		if t.Magnitude == nil {
			if err := m.add(ctx, p, t, sum, s); err != nil {
				return s, err
			}
			continue
		}
		w, err := m.decomposed(ctx, p, t, s)
		if err != nil {
			return s, err
		}
		norm, byInput := t.norm, t.sumsInputs(m.param.Shape)
		if !byInput {
			norm = m.temporary("norms", s.Rows)
			m.norm(p, w, norm, s.Rows, false, false)
		}
		groups, stride := grid1D(m.device, count, 64)
		p.Dispatch(Dispatch{
			Kernel: "merge_decompose", Label: t.Name, Consts: sourceCodes,
			Params: []Param{{"count", count}, {"stride", stride}, {"inputs", m.inputs}, {"taps", m.taps}, {"row", s.Row}, {"by_input", byInput},
				{"source", s.source}, {"strength", t.Strength}},
			Bind:   []Binding{Read("w", w), Read("norm", norm), Read("magnitude", t.magnitude), Read("base", s.Buffer), Write("sum", sum)},
			Groups: groups, Cost: float64(16 * count),
		})
	}
	return Staged{Buffer: sum, Row: s.Row, Rows: s.Rows, source: sourceF32}, nil
}

// decomposed is the base with one change in it, before its magnitude is set.
func (m *merge) decomposed(ctx context.Context, p *Program, t *term, s Staged) (*Buffer, error) {
	count := s.Rows * m.inputs * m.taps
	w := m.temporary("decomposed", count)
	widen(p, s.Buffer, s.source, w, count, 1, false)
	return w, m.add(ctx, p, t, w, s)
}

// add records sum += scale · the change's factors, for the rows of s.
func (m *merge) add(ctx context.Context, p *Program, t *term, sum *Buffer, s Staged) error {
	count := s.Rows * m.inputs * m.taps
	first := t.factors[0]
	switch {
	case t.Kronecker:
		b := t.factors[1]
		bRows, bColumns, _ := b.size(m.taps)
		_, aColumns, _ := first.size(1)
		groups, stride := grid1D(m.device, count, 64)
		p.Dispatch(Dispatch{
			Kernel: "merge_kronecker", Label: t.Name,
			Params: []Param{{"count", count}, {"stride", stride}, {"row", s.Row}, {"a_columns", aColumns}, {"b_rows", bRows}, {"b_columns", bColumns / m.taps},
				{"taps", m.taps}, {"factor", t.Scale}},
			Bind:   []Binding{Read("a", first.whole), Read("b", b.whole), Write("sum", sum)},
			Groups: groups, Cost: float64(8 * count),
		})
	case len(t.factors) == 2:
		left := m.temporary("left factor", count)
		m.product(p, first, left, nil, s.Row, s.Rows, 1, false)
		m.product(p, t.factors[1], sum, left, s.Row, s.Rows, t.Scale, true)
	case first.Whole != nil:
		w := *first.Whole
		size := int64(w.ElementBytes() * m.inputs * m.taps)
		staged, err := m.read(ctx, w, int64(s.Row)*size, int64(s.Rows)*size)
		if err != nil {
			return err
		}
		widen(p, staged, w.source(), sum, count, t.Scale, true)
	default:
		m.product(p, first, sum, nil, s.Row, s.Rows, t.Scale, true)
	}
	return nil
}

// product records sum = [sum +] scale · [times ·] a · b, for some rows of a.
func (m *merge) product(p *Program, f factor, sum, times *Buffer, row, rows int, scale float64, add bool) {
	p.Dispatch(Dispatch{
		Kernel: "merge_product", Label: f.Up.Name,
		Consts: []Const{{"TIMES", times != nil}},
		Params: []Param{{"rows", rows}, {"columns", f.columns}, {"rank", f.rank}, {"a_at", row * f.row}, {"a_row", f.row}, {"a_column", f.column},
			{"add", add}, {"factor", scale}},
		Bind:   []Binding{Read("a", f.a), Read("b", f.b), Read("times", times).Optional(), Write("sum", sum)},
		Groups: [3]int{(rows + 7) / 8, (f.columns + 255) / 256, 1},
		Cost:   2 * float64(rows*f.columns*f.rank),
	})
}

func (m *merge) norm(p *Program, w, norm *Buffer, rows int, byInput, add bool) {
	groups := rows
	if byInput {
		groups = m.inputs
	}
	p.Dispatch(Dispatch{
		Kernel: "merge_norm", Label: m.param.Name,
		Params: []Param{{"rows", rows}, {"inputs", m.inputs}, {"taps", m.taps}, {"by_input", byInput}, {"add", add}},
		Bind:   []Binding{Read("w", w), Write("norm", norm)},
		Groups: [3]int{groups, 1, 1}, Cost: 2 * float64(rows*m.inputs*m.taps),
	})
}

// widen records y = [y +] factor · x, from a file's type to f32.
func widen(p *Program, x *Buffer, source int, y *Buffer, count int, factor float64, add bool) {
	groups, stride := grid1D(p.Device, count, 64)
	p.Dispatch(Dispatch{
		Kernel: "widen", Label: y.Label, Consts: sourceCodes,
		Params: []Param{{"count", count}, {"stride", stride}, {"source", source}, {"add", add}, {"factor", factor}},
		Bind:   []Binding{Read("x", x), Write("y", y)},
		Groups: groups, Cost: float64(4 * count),
	})
}

// widened brings a whole tensor to the GPU, as f32.
func (m *merge) widened(ctx context.Context, p *Program, param Parameter) (*Buffer, error) {
	staged, err := m.read(ctx, param, 0, int64(param.Count()*param.ElementBytes()))
	if err != nil {
		return nil, err
	}
	y := m.kept(param.Name, param.Count())
	widen(p, staged, param.source(), y, param.Count(), 1, false)
	return y, nil
}

// read copies bytes of a tensor to the GPU.
func (m *merge) read(ctx context.Context, param Parameter, off, n int64) (*Buffer, error) {
	b, err := param.Read(ctx, off, n)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", param.Name, err)
	}
	staged := m.device.NewBuffer("staging "+param.Name, int64(webapi.NumBytes(b)))
	staged.WriteBytes(0, b)
	m.staging = append(m.staging, staged)
	m.bytes += n
	return staged, nil
}

// kept is a buffer of f32 that stays until the parameter is repacked.
func (m *merge) kept(label string, count int) *Buffer {
	b := m.device.NewBuffer(label, 4*int64(count))
	m.factors = append(m.factors, b)
	return b
}

// temporary is a buffer of f32 that every piece uses for the same thing.
func (m *merge) temporary(label string, count int) *Buffer {
	b := m.scratch[label]
	if b == nil || b.Size < 4*int64(count) {
		b.Release()
		b = m.device.NewBuffer(label, 4*int64(count))
		m.scratch[label] = b
	}
	return b
}

// ran frees what only the last program needed, and returns how many bytes of files passed.
func (m *merge) ran() int64 {
	for _, b := range m.staging {
		b.Release()
	}
	n := m.bytes
	m.staging, m.bytes = nil, 0
	return n
}

func (m *merge) release() {
	m.ran()
	for _, b := range m.factors {
		b.Release()
	}
	for _, b := range m.scratch {
		b.Release()
	}
}

// Changed reads a parameter back from the GPU as the kernels that repack it get it: with its
// changes, in f32. It is for tests.
func (d *Device) Changed(ctx context.Context, param Parameter) ([]float32, error) {
	var pieces []*Tensor
	defer func() {
		for _, t := range pieces {
			t.Release()
		}
	}()
	err := d.Repack(ctx, param, func(p *Program, s Staged) {
		y := d.NewTensor("piece", F32, 1, s.Rows*(param.Count()/param.Shape[0]))
		pieces = append(pieces, y)
		widen(p, s.Buffer, s.source, y.buffer, s.Rows*y.Channels(), 1, false)
	})
	var values []float32
	for _, t := range pieces {
		if err != nil {
			break
		}
		var v []float32
		v, err = t.Float32(ctx)
		values = append(values, v...)
	}
	return values, err
}
