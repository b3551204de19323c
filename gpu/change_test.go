package gpu

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// matrix is a parameter in memory, with its numbers in float64.
type matrix struct {
	Parameter
	values []float64
}

// randomMatrix makes a parameter of a type, whose numbers that type can represent.
func randomMatrix(rng *rand.Rand, name, dtype string, shape ...int) matrix {
	p, values := randomParameter(rng, dtype, 1, shape...)
	p.Name = name
	return matrix{p, toFloat64(values)}
}

// times is the matrix product of a, [rows, rank], and b, [rank, columns].
func times(a, b []float64, rank int) []float64 {
	rows, columns := len(a)/rank, len(b)/rank
	y := make([]float64, rows*columns)
	for r := range rows {
		for c := range columns {
			for k := range rank {
				y[r*columns+c] += a[r*rank+k] * b[k*columns+c]
			}
		}
	}
	return y
}

func transposed(a []float64, rows int) []float64 {
	columns := len(a) / rows
	y := make([]float64, len(a))
	for i, v := range a {
		y[i%columns*rows+i/columns] = v
	}
	return y
}

// changeCase is a kind of change with its float64 reference.
type changeCase struct {
	name   string
	shape  []int // of the weight
	change Change
	delta  []float64 // what is added before the magnitude
}

// changeCases are all kinds of changes. rows of 10 are no multiple of a thread's 8, and columns
// of 27 none of 4.
func changeCases(rng *rand.Rand) (list []changeCase) {
	shape := []int{10, 12, 3, 3}
	add := func(name string, shape []int, c Change, delta []float64) {
		c.Name, c.Scale = name, 0.5
		list = append(list, changeCase{name, shape, c, delta})
	}
	product := func(dtype string, rows, rank, columns int) (Factor, []float64) {
		up, down := randomMatrix(rng, "up", dtype, rows, rank), randomMatrix(rng, "down", dtype, rank, columns)
		return Factor{Up: &up.Parameter, Down: &down.Parameter}, times(up.values, down.values, rank)
	}
	tucker := func(rows, j, k, columns, taps int, transpose bool) (Factor, []float64) {
		up, core, down := randomMatrix(rng, "up", "F16", rows, j), randomMatrix(rng, "core", "F16", j, k, 3, taps/3), randomMatrix(rng, "down", "F16", k, columns)
		b := make([]float64, j*columns*taps)
		for x := range j {
			for i := range columns {
				for t := range taps {
					for y := range k {
						b[(x*columns+i)*taps+t] += core.values[(x*k+y)*taps+t] * down.values[y*columns+i]
					}
				}
			}
		}
		values := up.values
		if transpose {
			up.Shape = []int{j, rows}
			values = transposed(up.values, j)
		}
		return Factor{Up: &up.Parameter, Core: &core.Parameter, Down: &down.Parameter, Transposed: transpose}, times(values, b, j)
	}
	for _, dtype := range []string{"F16", "F32", "BF16"} {
		f, delta := product(dtype, 10, 5, 12*9)
		add("LoRA "+dtype, shape, Change{Factors: []Factor{f}}, delta)
	}
	f, delta := product("F16", 300, 4, 270)
	add("a large matrix", []int{300, 270}, Change{Factors: []Factor{f}}, delta)
	f, delta = tucker(10, 4, 5, 12, 9, false)
	add("LoCon with a middle", shape, Change{Factors: []Factor{f}}, delta)
	w := randomMatrix(rng, "diff", "F16", 10, 3, 3, 3)
	add("difference", []int{10, 3, 3, 3}, Change{Factors: []Factor{{Whole: &w.Parameter}}}, w.values)

	f, delta = product("F16", 10, 3, 12*9)
	g, right := product("F16", 10, 3, 12*9)
	hadamard := func(a, b []float64) []float64 {
		y := slices.Clone(a)
		for i := range y {
			y[i] *= b[i]
		}
		return y
	}
	add("LoHa", shape, Change{Factors: []Factor{f, g}}, hadamard(delta, right))
	f, delta = tucker(10, 3, 3, 12, 9, true)
	g, right = tucker(10, 3, 3, 12, 9, true)
	add("LoHa with Tucker", shape, Change{Factors: []Factor{f, g}}, hadamard(delta, right))

	kronecker := func(a, b []float64, aColumns, bColumns, taps int) []float64 {
		aRows, bRows := len(a)/aColumns, len(b)/(bColumns*taps)
		var y []float64
		for o := range aRows * bRows {
			for i := range aColumns * bColumns {
				for t := range taps {
					y = append(y, a[o/bRows*aColumns+i/bColumns]*b[(o%bRows*bColumns+i%bColumns)*taps+t])
				}
			}
		}
		return y
	}
	a, b := randomMatrix(rng, "w1", "F16", 2, 3), randomMatrix(rng, "w2", "F16", 5, 4, 3, 3)
	add("LoKr", shape, Change{Kronecker: true, Factors: []Factor{{Whole: &a.Parameter}, {Whole: &b.Parameter}}}, kronecker(a.values, b.values, 3, 4, 9))
	f, delta = product("F16", 2, 2, 3)
	g, right = product("F16", 5, 2, 4*9)
	add("LoKr of products", shape, Change{Kronecker: true, Factors: []Factor{f, g}}, kronecker(delta, right, 3, 4, 9))
	g, right = tucker(5, 2, 2, 4, 9, true)
	add("LoKr with Tucker", shape, Change{Kronecker: true, Factors: []Factor{{Whole: &a.Parameter}, g}}, kronecker(a.values, right, 3, 4, 9))

	for _, strength := range []float64{1, 0.6} {
		for name, shapes := range map[string][]int{"output": {10, 1, 1, 1}, "input": {1, 12, 1, 1}} {
			f, delta = product("F16", 10, 4, 12*9)
			m := randomMatrix(rng, "magnitude", "F32", shapes...)
			c := Change{Factors: []Factor{f}, Magnitude: &m.Parameter, Strength: strength}
			add("DoRA by "+name, shape, c, delta)
		}
	}
	return list
}

// expected is the weight with the change, in float64.
func (c changeCase) expected(base []float64) []float64 {
	w := slices.Clone(base)
	for i, v := range c.delta {
		w[i] += c.change.Scale * v
	}
	m := c.change.Magnitude
	if m == nil {
		return w
	}
	rows, inputs, taps := split3(c.shape)
	of := func(i int) int { return i / (inputs * taps) }
	norms := make([]float64, rows)
	if c.change.sumsInputs(c.shape) {
		of = func(i int) int { return i / taps % inputs }
		norms = make([]float64, inputs)
	}
	for i, v := range w {
		norms[of(i)] += v * v
	}
	b, _ := m.Read(context.Background(), 0, int64(4*m.Count()))
	raw := webapi.GoBytes(b)
	for i := range w {
		magnitude := float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*of(i):])))
		w[i] *= c.change.Strength*(magnitude/math.Sqrt(norms[of(i)])-1) + 1
	}
	return w
}

// merged changes a weight in two pieces of its rows, as Repack does with a large one.
func merged(t *testing.T, d *Device, base matrix, changes ...Change) []float32 {
	t.Helper()
	ctx := context.Background()
	base.Changes = changes
	m := d.newMerge(ctx, base.Parameter)
	defer m.release()
	rows := base.Shape[0]
	row := base.Count() / rows * base.ElementBytes()
	pieces := func(do func(p *Program, s Staged) (ran func())) {
		for _, part := range [][2]int{{0, 4}, {4, rows - 4}} {
			b, _ := base.Read(ctx, int64(part[0]*row), int64(part[1]*row))
			staged := d.NewBuffer("staged", int64(webapi.NumBytes(b)))
			defer staged.Release()
			staged.WriteBytes(0, b)
			p := d.NewProgram("piece")
			ran := do(p, Staged{Buffer: staged, Row: part[0], Rows: part[1], source: base.source()})
			run(t, p, 0)
			ran()
			m.ran()
		}
	}
	pieces(func(p *Program, s Staged) func() {
		if err := m.norms(ctx, p, s); err != nil {
			t.Fatal(err)
		}
		return func() {}
	})
	var values []float32
	pieces(func(p *Program, s Staged) func() {
		got, err := m.apply(ctx, p, s)
		if err != nil {
			t.Fatal(err)
		}
		count := s.Rows * m.inputs * m.taps
		y := d.NewTensor("rows", F32, 1, count)
		widen(p, got.Buffer, got.source, y.buffer, count, 1, false)
		return func() { values = append(values, output(t, y)...); y.Release() }
	})
	return values
}

// What every kind of change makes of a weight, alone and together, is within f32's rounding of
// the same computation in float64.
func TestChanges(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		rng := rand.New(rand.NewPCG(7, 8))
		for _, c := range changeCases(rng) {
			t.Run(c.name, func(t *testing.T) {
				for _, dtype := range []string{"F16", "F32"} {
					base := randomMatrix(rng, "base", dtype, c.shape...)
					want := c.expected(base.values)
					got := merged(t, d, base, c.change)
					compare(t, "the weight", got, toFloat32(want), 1e-6)
					if c.change.Magnitude == nil {
						continue
					}
					// Beside it, another change of the base.
					f := randomMatrix(rng, "diff", "F32", c.shape...)
					for i := range want {
						want[i] += 2 * f.values[i]
					}
					got = merged(t, d, base, c.change, Change{Name: "diff", Scale: 2, Factors: []Factor{{Whole: &f.Parameter}}})
					compare(t, "the weight with two changes", got, toFloat32(want), 1e-6)
				}
			})
		}
	})
}

// A vector is changed where it is read.
func TestChangeOfVector(t *testing.T) {
	p := MemoryParameter("norm.weight", []float32{1, 2, 3}, 3)
	diff := MemoryParameter("diff", []float32{2, 4, 8}, 3)
	p.Changes = []Change{{Name: "diff", Scale: 0.5, Factors: []Factor{{Whole: &diff}}}}
	got, err := p.Float32(context.Background())
	if err != nil || !slices.Equal(got, []float32{2, 4, 7}) {
		t.Errorf("%v, %v", got, err)
	}
}

// What does not fit is named.
func TestChangeFits(t *testing.T) {
	param := func(shape ...int) *Parameter { return &Parameter{Name: "p", DType: "F16", Shape: shape} }
	for _, c := range []struct {
		name, want string
		shape      []int
		change     Change
	}{
		{"fits", "", []int{4, 6}, Change{Factors: []Factor{{Up: param(4, 2), Down: param(2, 6)}}}},
		{"a 1 × 1 convolution", "", []int{4, 6}, Change{Factors: []Factor{{Up: param(4, 2, 1, 1), Down: param(2, 6, 1, 1)}}}},
		{"another size", "changes a weight of 4 × 8", []int{4, 6}, Change{Factors: []Factor{{Up: param(4, 2), Down: param(2, 8)}}}},
		{"another rank", "has the rank 3", []int{4, 6}, Change{Factors: []Factor{{Up: param(4, 3), Down: param(2, 6)}}}},
		{"another core", "does not fit", []int{4, 6, 3, 3}, Change{Factors: []Factor{{Up: param(4, 2), Core: param(2, 2, 1, 1), Down: param(2, 6)}}}},
		{"another magnitude", "has the shape [3 1]", []int{4, 6}, Change{Factors: []Factor{{Whole: param(4, 6)}}, Magnitude: param(3, 1)}},
		{"a product for a vector", "only a difference", []int{4}, Change{Factors: []Factor{{Up: param(4, 1), Down: param(1, 1)}}}},
		{"two sizes", "element by element", []int{4, 6}, Change{Factors: []Factor{{Whole: param(4, 6)}, {Whole: param(4, 7)}}}},
		{"Kronecker", "changes a weight of 8 × 6", []int{4, 6}, Change{Kronecker: true, Factors: []Factor{{Whole: param(2, 2)}, {Whole: param(4, 3)}}}},
		{"numbers", "has the type F64", []int{4, 6}, Change{Factors: []Factor{{Whole: &Parameter{Name: "p", DType: "F64", Shape: []int{4, 6}}}}}},
		{"nothing", "is empty", []int{4, 6}, Change{Factors: []Factor{{Up: param(4, 0), Down: param(0, 6)}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.change.Fits(c.shape)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
