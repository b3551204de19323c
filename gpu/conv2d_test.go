package gpu

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// convTolerance: sums are f32 on every path, and with f16 the result is rounded once.
func convTolerance(d *Device, out DType) float64 {
	if d.F16 && out == Act {
		return 4e-4
	}
	return 2e-6
}

// parameter makes a random checkpoint tensor and returns it together with its values as the
// GPU will hold them.
func parameter(d *Device, rng *rand.Rand, dtype string, scale float64, shape ...int) (Parameter, []float32) {
	p, values := randomParameter(rng, dtype, scale, shape...)
	p.As = testWeights
	if testWeights == WeightF16 && len(shape) > 1 {
		for i, v := range values {
			values[i] = Float32(Float16(v))
		}
	}
	return p, values
}

type convCase struct {
	n, h, w, c, c2, out, size     int
	stride, pad, padEnd           int
	up                            [2]int
	bias, table, residual, outF32 bool
	lambda, rectify               bool
	activation                    Activation
	scale                         float64
	dtype                         string
	mv, nv, slices                int // a GPU's tile; 0 means that the device chooses
	variant                       string
	phases                        bool // of an upsampling by two
	winograd                      int  // the size of Winograd's tiles, or 0
	sampled                       bool // compare some of the result's numbers, because it is large
}

// String says what the case tests, as in "3x3 2x9x13x40 to 40, stride 2".
func (c convCase) String() string {
	s := fmt.Sprintf("%dx%d %dx%dx%dx%d to %d", c.size, c.size, c.n, c.h, c.w, c.c, c.out)
	for _, o := range []struct {
		set  bool
		text string
	}{
		{c.stride > 1, fmt.Sprintf("stride %d", c.stride)}, {c.padEnd > 0, "zeros at the end"}, {c.up != [2]int{}, "upsampling"},
		{c.c2 > 0, "two inputs"}, {c.bias, "bias"}, {c.table, "table"}, {c.lambda, "λ"}, {c.residual, "residual"}, {c.rectify, "ReLU"}, {c.outF32, "to f32"},
		{c.activation != NoActivation, fmt.Sprintf("activation %d", c.activation)}, {c.scale != 0, "scaled"}, {c.dtype != "", c.dtype},
		{c.winograd > 0, fmt.Sprintf("F(%dx%d)", c.winograd, c.winograd)}, {c.mv > 0, fmt.Sprintf("tile %dx%d", c.mv, c.nv)}, {c.slices > 1, fmt.Sprintf("%d slices", c.slices)}, {c.variant != "", c.variant}, {c.phases, "in phases"},
	} {
		if o.set {
			s += ", " + o.text
		}
	}
	return s
}

// convValues are a case's numbers, as the GPU has them. Those that it does not have are nil.
type convValues struct{ x, x2, w, bias, table, residual []float32 }

// referenceConv is torch.nn.functional.conv2d over NHWC, in float64. y has the result's shape.
func referenceConv(c convCase, v convValues, y Tensor) []float32 {
	out := make([]float32, c.n*y.Shape[1]*y.Shape[2]*c.out)
	for at := range out {
		out[at] = referenceConvAt(c, v, y, at)
	}
	return out
}

// referenceConvAt is one number of referenceConv.
func referenceConvAt(c convCase, v convValues, y Tensor, at int) float32 {
	up := c.up
	if up == [2]int{} {
		up = [2]int{c.h, c.w}
	}
	stride := max(1, c.stride)
	ho, wo, ci := y.Shape[1], y.Shape[2], c.c+c.c2
	o, ox, oy, n := at%c.out, at/c.out%wo, at/c.out/wo%ho, at/c.out/wo/ho
	var sum float64
	for ky := range c.size {
		for kx := range c.size {
			iy, ix := oy*stride-c.pad+ky, ox*stride-c.pad+kx
			if iy < 0 || ix < 0 || iy >= up[0] || ix >= up[1] {
				continue
			}
			pixel := (n*c.h+iy*c.h/up[0])*c.w + ix*c.w/up[1]
			for k := range ci {
				var x float32
				if k < c.c {
					x = v.x[pixel*c.c+k]
				} else {
					x = v.x2[pixel*c.c2+k-c.c]
				}
				sum += float64(x) * float64(v.w[((o*ci+k)*c.size+ky)*c.size+kx])
			}
		}
	}
	if v.bias != nil {
		sum += float64(v.bias[o])
	}
	switch {
	case c.lambda:
		sum *= float64(v.table[o])
	case v.table != nil:
		sum += float64(v.table[o])
	}
	sum = referenceActivation(c.activation, sum)
	if v.residual != nil {
		sum += float64(v.residual[at])
	}
	if c.rectify {
		sum = max(sum, 0)
	}
	if c.scale != 0 {
		sum *= c.scale
	}
	return float32(sum)
}

func referenceActivation(a Activation, x float64) float64 {
	switch a {
	case SiLU:
		return x / (1 + math.Exp(-x))
	case GELU:
		return x / 2 * (1 + math.Erf(x/math.Sqrt2))
	case QuickGELU:
		return x / (1 + math.Exp(-1.702*x))
	case ReLU:
		return max(x, 0)
	}
	return x
}

// sample takes some numbers of a large result, and what they should be.
func sample(rng *rand.Rand, all []float32, reference func(at int) float32) (got, want []float32) {
	for range 300 {
		at := rng.IntN(len(all))
		got, want = append(got, all[at]), append(want, reference(at))
	}
	return got, want
}

func TestConv2d(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		rng := rand.New(rand.NewPCG(5, 6))
		cases := []convCase{
			{n: 1, h: 5, w: 7, c: 4, out: 8, size: 3, pad: 1, bias: true},
			{n: 2, h: 9, w: 6, c: 20, out: 36, size: 3, pad: 1, bias: true, residual: true, scale: 0.5},
			{n: 2, h: 9, w: 13, c: 40, out: 40, size: 3, stride: 2, pad: 1, bias: true},
			{n: 1, h: 8, w: 10, c: 16, out: 16, size: 3, stride: 2, padEnd: 1, bias: true},
			{n: 2, h: 5, w: 7, c: 24, out: 72, size: 3, pad: 1, up: [2]int{10, 14}, bias: true},
			{n: 1, h: 5, w: 7, c: 8, out: 8, size: 3, pad: 1, up: [2]int{9, 13}},
			{n: 2, h: 6, w: 5, c: 12, c2: 20, out: 16, size: 1, bias: true},
			{n: 2, h: 3, w: 3, c: 32, out: 64, size: 3, pad: 1, bias: true, table: true, activation: SiLU},
			{n: 1, h: 28, w: 28, c: 3, out: 12, size: 7, stride: 7},
			{n: 1, h: 4, w: 4, c: 9, out: 4, size: 3, pad: 1, bias: true, outF32: true, dtype: "F32"},
			{n: 1, h: 70, w: 66, c: 20, out: 68, size: 3, pad: 1, bias: true, dtype: "BF16"},
			{n: 1, h: 6, w: 6, c: 8, out: 3, size: 3, pad: 1, bias: true, dtype: "F32"},
			{n: 1, h: 5, w: 5, c: 3, out: 5, size: 3, pad: 1, dtype: "F8_E4M3"},
			{n: 1, h: 5, w: 5, c: 3, out: 5, size: 3, pad: 1, dtype: "F8_E5M2"},
			{n: 1, h: 13, w: 11, c: 28, out: 140, size: 3, pad: 1, bias: true, residual: true},
			{n: 2, h: 5, w: 6, c: 12, out: 76, size: 1, bias: true, lambda: true, residual: true},
			{n: 1, h: 9, w: 9, c: 20, out: 8, size: 3, pad: 1, bias: true, activation: ReLU},
			{n: 1, h: 5, w: 6, c: 8, out: 12, size: 3, pad: 1, bias: true, residual: true, rectify: true},
			// A GPU's tiles, on every device.
			{n: 1, h: 13, w: 11, c: 28, out: 68, size: 3, pad: 1, bias: true, residual: true, mv: 1, nv: 1},
			{n: 2, h: 5, w: 7, c: 20, out: 72, size: 3, stride: 2, pad: 1, bias: true, mv: 1, nv: 2},
			{n: 1, h: 5, w: 6, c: 8, out: 12, size: 3, pad: 1, bias: true, residual: true, rectify: true, mv: 1, nv: 1},
			{n: 1, h: 5, w: 6, c: 8, out: 12, size: 3, pad: 1, bias: true, residual: true, rectify: true, mv: 1, nv: 1, slices: 2},
			// Slices: several taps each, a part of a tap each, and one slice with nothing to do.
			{n: 2, h: 9, w: 6, c: 20, out: 36, size: 3, pad: 1, bias: true, table: true, residual: true, activation: SiLU, scale: 0.5, mv: 2, nv: 2, slices: 4},
			{n: 1, h: 5, w: 7, c: 100, c2: 12, out: 70, size: 1, bias: true, outF32: true, mv: 1, nv: 1, slices: 3},
			{n: 1, h: 5, w: 7, c: 100, out: 40, size: 1, bias: true, lambda: true, residual: true, mv: 1, nv: 1, slices: 2},
			{n: 1, h: 5, w: 7, c: 20, out: 40, size: 1, bias: true, lambda: true, residual: true, mv: 1, nv: 1},
			{n: 1, h: 5, w: 7, c: 24, out: 20, size: 3, pad: 1, up: [2]int{10, 14}, mv: 2, nv: 2, slices: 7},
		}
		cases = append(cases,
			convCase{n: 2, h: 5, w: 7, c: 24, out: 20, size: 3, pad: 1, up: [2]int{10, 14}, bias: true, activation: SiLU, mv: 1, nv: 1, phases: true},
			convCase{n: 1, h: 4, w: 9, c: 40, out: 36, size: 3, pad: 1, up: [2]int{8, 18}, bias: true, mv: 1, nv: 1, slices: 3, phases: true})
		for _, v := range d.Variants(ConvClass)[1:] {
			if winogradTile(v.Name) > 0 {
				continue // TestWinograd
			}
			cases = append(cases,
				convCase{n: 2, h: 5, w: 7, c: 24, out: 70, size: 3, pad: 1, bias: true, residual: true, mv: 1, nv: 1, variant: v.Name},
				convCase{n: 1, h: 6, w: 11, c: 40, c2: 12, out: 36, size: 3, pad: 1, up: [2]int{12, 22}, mv: 1, nv: 1, slices: 5, variant: v.Name},
			)
		}
		for range 6 { // random sizes, smaller and larger than a tile
			cases = append(cases, convCase{n: 1 + rng.IntN(2), h: 1 + rng.IntN(20), w: 1 + rng.IntN(20), c: 4 * (1 + rng.IntN(20)), out: 4 * (1 + rng.IntN(40)),
				size: 3, pad: 1, stride: 1 + rng.IntN(2), bias: rng.IntN(2) == 0, activation: Activation(rng.IntN(4))})
		}
		for _, c := range cases {
			if c.mv > 0 && testWeights == WeightF32 {
				continue // on a processor this takes seconds to compile, and the other two paths cover it
			}
			t.Run(c.String(), func(t *testing.T) { testConv(t, d, rng, c) })
		}
	})
}

func testConv(t *testing.T, d *Device, rng *rand.Rand, c convCase) {
	ctx := context.Background()
	if c.dtype == "" {
		c.dtype = "F16"
	}
	p := d.NewProgram("test")
	x, xv := input(d, Act, normals(rng, c.n*c.h*c.w*c.c), c.n, c.h, c.w, c.c)
	ci := c.c + c.c2
	wp, wv := parameter(d, rng, c.dtype, 1/math.Sqrt(float64(ci*c.size*c.size)), c.out, ci, c.size, c.size)
	var biases []Parameter
	var bv []float32
	if c.bias {
		b, v := parameter(d, rng, c.dtype, 1, c.out)
		biases, bv = []Parameter{b}, v
	}
	wp.Winograd = c.winograd
	w, err := d.NewConvWeight(ctx, "w", []Parameter{wp}, biases, false)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Release()
	o := Conv2dOptions{Label: "y", Stride: c.stride, Padding: c.pad, PadEnd: c.padEnd, UpsampleTo: c.up, Activation: c.activation, Rectify: c.rectify, Scale: c.scale}
	var x2v, tv, rv []float32
	if c.c2 > 0 {
		o.X2, x2v = input(d, Act, normals(rng, c.n*c.h*c.w*c.c2), c.n, c.h, c.w, c.c2)
	}
	if c.table {
		o.Table, tv = input(d, F32, normals(rng, 3*c.out), 3, c.out)
		tv = tv[2*c.out:]
	}
	if c.lambda {
		o.Lambda, tv = input(d, F32, normals(rng, 3*c.out), 3, c.out)
		tv = tv[2*c.out:]
	}
	if c.outF32 {
		o.Output = F32
	}
	if c.residual {
		o.Residual, rv = input(d, Act, normals(rng, c.n*c.h*c.w*c.out), c.n, c.h, c.w, c.out)
	}
	if !c.sampled { // else the device chooses, as in a network
		o.tile = convTile{c.mv, c.nv, max(1, c.slices), c.variant, c.phases}
	}
	y := Conv2d(p, x, w, o)
	run(t, p, 2)
	tolerance := convTolerance(d, o.Output)
	if c.phases && testWeights == WeightF16 {
		tolerance += 4e-4 // sums of weights are rounded to f16
	}
	if c.variant == "short" {
		tolerance += 6e-4 // sums of 8 in f16, of which a computation with numpy measured 4e-4
	}
	if c.winograd > 0 {
		tolerance = winogradTolerance(d, c.winograd)
	}
	got, values := output(t, y), convValues{xv, x2v, wv, bv, tv, rv}
	if c.sampled {
		got, want := sample(rng, got, func(at int) float32 { return referenceConvAt(c, values, *y, at) })
		compare(t, c.String(), got, want, tolerance)
		return
	}
	compare(t, fmt.Sprintf("%+v", c), got, referenceConv(c, values, *y), tolerance)
}

// The weights of the phases are made once for a program, and freed with it.
func TestPhasesAreFreed(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		w := &ConvWeight{In: 16, Out: 64, Size: 3, dtype: testWeights, packed: d.NewBuffer("w", 1<<16)}
		defer w.Release()
		x, _ := input(d, Act, make([]float32, 4*4*16), 1, 4, 4, 16)
		defer x.Release()
		before := d.MemoryBytes()
		p := d.NewProgram("test")
		o := Conv2dOptions{Label: "y", Padding: 1, UpsampleTo: [2]int{8, 8}, tile: convTile{mv: 1, nv: 1, slices: 1, phases: true}}
		Conv2d(p, x, w, o)
		once := d.MemoryBytes()
		Conv2d(p, x, w, o)
		if once <= before || d.MemoryBytes() != once {
			t.Errorf("%d bytes are held before, %d with one convolution and %d with two", before, once, d.MemoryBytes())
		}
		if p.Release(); d.MemoryBytes() != before {
			t.Errorf("%d bytes are held before the program and %d after it", before, d.MemoryBytes())
		}
	})
}

// A parameter that is staged in several runs of rows. None may begin inside a vec4 of columns.
func TestLinearStaged(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		if testWeights == WeightF32 {
			return // the rows are the same as on the other paths
		}
		ctx := context.Background()
		rng := rand.New(rand.NewPCG(11, 12))
		const in, out = 2300, 3800 // 35 MB: 1823 rows fit 16 MiB
		wp, wv := parameter(d, rng, "F32", 0.02, out, in)
		w, err := d.NewConvWeight(ctx, "w", []Parameter{wp}, nil, false)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Release()
		x, xv := input(d, Act, normals(rng, in), 1, in)
		p := d.NewProgram("test")
		y := Linear(p, x, w, LinearOptions{Label: "y"})
		run(t, p, 0)
		c := convCase{n: 1, h: 1, w: 1, c: in, out: out, size: 1}
		want := referenceConv(c, convValues{x: xv, w: wv}, Tensor{Shape: []int{1, 1, 1, out}})
		compare(t, "staged", output(t, y), want, convTolerance(d, Act))
	})
}

// A matrix that is stored by columns.
func TestColumns(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		rng := rand.New(rand.NewPCG(13, 14))
		const in, out = 20, 70
		wp, wv := parameter(d, rng, "F32", 0.2, in, out)
		wp.Columns = true
		w, err := d.NewConvWeight(context.Background(), "w", []Parameter{wp}, nil, false)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Release()
		x, xv := input(d, Act, normals(rng, 3*in), 1, 3, in)
		p := d.NewProgram("test")
		y := Linear(p, x, w, LinearOptions{Label: "y"})
		run(t, p, 0)
		want := make([]float32, 3*out)
		for i := range want {
			for k := range in {
				want[i] += xv[i/out*in+k] * wv[k*out+i%out]
			}
		}
		compare(t, "by columns", output(t, y), want, convTolerance(d, Act))
	})
}

// Several weights joined into one, and the values and gates of a GEGLU.
func TestLinear(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		ctx := context.Background()
		rng := rand.New(rand.NewPCG(7, 8))
		for _, rows := range []int{1, 3, 77, 130} {
			const in, q, kv = 44, 20, 24
			x, xv := input(d, Act, normals(rng, rows*in), 1, rows, in)
			wq, wqv := parameter(d, rng, "F16", 0.2, q, in)
			wk, wkv := parameter(d, rng, "F32", 0.2, kv, in)
			bq, bqv := parameter(d, rng, "F16", 1, q)
			bk, bkv := parameter(d, rng, "F16", 1, kv)
			w, err := d.NewConvWeight(ctx, "w", []Parameter{wq, wk}, []Parameter{bq, bk}, false)
			if err != nil {
				t.Fatal(err)
			}
			p := d.NewProgram("test")
			y := Linear(p, x, w, LinearOptions{Label: "y", Activation: QuickGELU})
			run(t, p, 0)
			c := convCase{n: 1, h: 1, w: rows, c: in, out: q + kv, size: 1, activation: QuickGELU}
			want := referenceConv(c, convValues{x: xv, w: append(wqv, wkv...), bias: append(bqv, bkv...)}, Tensor{Shape: []int{1, 1, rows, q + kv}})
			compare(t, "side by side", output(t, y), want, convTolerance(d, Act))
			w.Release()

			const half = 80 // a tile and a half
			wg, wgv := parameter(d, rng, "F16", 0.2, 2*half, in)
			bg, bgv := parameter(d, rng, "F16", 0.5, 2*half)
			g, err := d.NewConvWeight(ctx, "g", []Parameter{wg}, []Parameter{bg}, true)
			if err != nil {
				t.Fatal(err)
			}
			p = d.NewProgram("test")
			o := LinearOptions{Label: "y", Activation: GEGLU}
			if rows == 130 && testWeights != WeightF32 {
				o.tile = convTile{mv: 1, nv: 2, slices: 1}
			}
			y = Linear(p, x, g, o)
			run(t, p, 0)
			c = convCase{n: 1, h: 1, w: rows, c: in, out: 2 * half, size: 1}
			both := referenceConv(c, convValues{x: xv, w: wgv, bias: bgv}, Tensor{Shape: []int{1, 1, rows, 2 * half}})
			want = make([]float32, rows*half)
			for i := range want {
				r, o := i/half, i%half
				want[i] = both[r*2*half+o] * float32(referenceActivation(GELU, float64(both[r*2*half+half+o])))
			}
			compare(t, "geglu", output(t, y), want, convTolerance(d, Act))
			g.Release()
		}
	})
}
