package gpu

import (
	"context"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// Convolutions by Winograd's algorithm: odd sizes, two inputs, channels that are not multiples of
// anything, and everything that is done with the sums.
func TestWinograd(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		if testWeights == WeightF32 {
			return // transformed weights are f32 on the path before, too
		}
		rng := rand.New(rand.NewPCG(41, 42))
		sizes := []int{2}
		if !d.F16 && (!computes || os.Getenv("IMPROMPT_FULL") != "") {
			sizes = append(sizes, 4) // whose kernels take Mesa half a minute
		}
		for _, m := range sizes {
			// These have one module of each kernel, because Mesa takes seconds to compile them.
			for _, c := range []convCase{
				{n: 2, h: 9, w: 6, c: 20, c2: 8, out: 36, bias: true, table: true, residual: true, activation: SiLU, scale: 0.5},
				{n: 1, h: 5, w: 7, c: 40, c2: 12, out: 70, bias: true, activation: SiLU, outF32: true},
				{n: 1, h: 4, w: 11, c: 8, c2: 1, out: 3, bias: true, lambda: true, residual: true, activation: SiLU, dtype: "BF16"},
				{n: 1, h: 1, w: 5, c: 4, c2: 4, out: 12, residual: true, activation: SiLU, rectify: true},
			} {
				c.size, c.pad, c.winograd, c.mv, c.nv, c.variant = 3, 1, m, 1, 1, "rolled"
				t.Run(c.String(), func(t *testing.T) { testConv(t, d, rng, c) })
			}
		}
		// A part of the tiles after another, which ends within a row of tiles and within a picture.
		before := winogradBytes
		defer func() { winogradBytes = before }()
		winogradBytes = 16 * 64 * 24 * Act.Size()
		c := convCase{n: 2, h: 13, w: 22, c: 8, c2: 4, out: 12, size: 3, pad: 1, bias: true, activation: SiLU, winograd: 2, mv: 1, nv: 1, variant: "rolled"}
		t.Run(c.String()+", in parts", func(t *testing.T) { testConv(t, d, rng, c) })
	})
}

// A change of the weights, a LoRA's, is added before they are transformed.
func TestWinogradOfChanged(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		if testWeights == WeightF32 {
			return // transformed weights are f32 on the path before, too
		}
		rng := rand.New(rand.NewPCG(43, 44))
		const channels, side = 8, 4
		shape := []int{channels, channels, 3, 3}
		param, values := parameter(d, rng, "F32", 0.1, shape...)
		f := randomMatrix(rng, "diff", "F32", shape...)
		for i := range values {
			values[i] += 2 * float32(f.values[i])
		}
		param.Winograd, param.Changes = 2, []Change{{Name: "diff", Scale: 2, Factors: []Factor{{Whole: &f.Parameter}}}}
		w, err := d.NewConvWeight(context.Background(), "w", []Parameter{param}, nil, false)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Release()
		x, xv := input(d, Act, normals(rng, side*side*channels/2), 1, side, side, channels/2)
		x2, x2v := input(d, Act, normals(rng, side*side*channels/2), 1, side, side, channels/2)
		p := d.NewProgram("test")
		y := Conv2d(p, x, w, Conv2dOptions{Label: "y", Padding: 1, X2: x2, Activation: SiLU, tile: convTile{mv: 1, nv: 1, slices: 1, variant: "rolled"}})
		run(t, p, 0)
		want := referenceConv(convCase{n: 1, h: side, w: side, c: channels / 2, c2: channels / 2, out: channels, size: 3, pad: 1, activation: SiLU}, convValues{x: xv, x2: x2v, w: values}, *y)
		compare(t, "a changed convolution", output(t, y), want, winogradTolerance(d, 2)+2e-4) // the change is not one of f16
	})
}

// winogradTolerance is that of the direct convolution and what the study in numpy measured beyond
// it: with shader-f16 the tiles, the weights and the products are rounded to f16.
func winogradTolerance(d *Device, m int) float64 {
	switch {
	case d.F16:
		return convTolerance(d, Act) + 6e-4
	case m == 4:
		return convTolerance(d, Act) + 2e-6
	}
	return convTolerance(d, Act)
}

// The weights that are transformed, and how much memory that takes.
func TestWinogradTile(t *testing.T) {
	for _, c := range []struct {
		kernels           string
		f16               bool
		in, out, tile, mb int
	}{
		{"gpu", true, 320, 320, 0, 0},
		{"gpu,conv=early", true, 320, 320, 0, 0},
		{"gpu,conv=winograd", true, 640, 640, 2, 5},
		{"gpu,conv/large=winograd", true, 640, 640, 2, 5},
		{"gpu,conv=winograd,conv/large=early", true, 640, 640, 0, 0},
		{"gpu,conv=winograd", true, 640, 1280, 0, 0}, // at 16 × 16
		{"gpu,conv=winograd", false, 640, 640, 2, 17},
		{"gpu,conv=winograd4", false, 640, 640, 4, 49},
		{"gpu,conv=winograd4", false, 1920, 640, 0, 0}, // cannot be bound
		{"cpu,conv=winograd", true, 320, 320, 0, 0},
	} {
		d := NewPlanner(c.f16, DefaultLimits)
		d.Subgroups = true
		k, err := ParseKernels(c.kernels)
		if err == nil {
			err = d.SetKernels(k)
		}
		if err != nil {
			t.Fatal(err)
		}
		m := d.WinogradTile(c.in, c.out, WeightF16)
		if m != c.tile {
			t.Errorf("%s, f16 %t, %d to %d channels: tiles of %d, not %d", c.kernels, c.f16, c.in, c.out, m, c.tile)
		}
		if m > 0 {
			if mb := int(d.WinogradExtra(c.in, c.out, m, WeightF16) >> 20); mb != c.mb {
				t.Errorf("%s, f16 %t, %d to %d channels: %d MiB more, not %d", c.kernels, c.f16, c.in, c.out, mb, c.mb)
			}
		}
	}
}

// The tiles that are computed at a time are not more than the device binds.
func TestWinogradParts(t *testing.T) {
	const limit = 1 << 20
	d := NewPlanner(true, Limits{MaxStorageBufferBindingSize: limit, MaxBufferSize: limit})
	w := &ConvWeight{In: 64, Out: 64, Size: 3, winograd: 2}
	n := w.tilesAtOnce(d, 1000, F16, newTensor(d, "y", Act, []int{1, 50, 80, 64}))
	if bytes := n * 16 * (64 + 64) * 2; bytes > limit || bytes < limit/2 {
		t.Errorf("%d tiles take %d bytes", n, bytes)
	}
}

// What cannot be computed this way is an error, and not another result.
func TestWinogradRefuses(t *testing.T) {
	d := testDevice(t, testPath{})
	weight := func(size int) (*ConvWeight, error) {
		p := MemoryParameter("w", make([]float32, 16*size*size), 4, 4, size, size)
		p.Winograd = 2
		return d.NewConvWeight(context.Background(), "w", []Parameter{p}, nil, false)
	}
	if _, err := weight(1); err == nil {
		t.Error("weights of 1 × 1 are transformed")
	}
	w, err := weight(3)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []Conv2dOptions{{Padding: 1, Stride: 2}, {}, {Padding: 1, UpsampleTo: [2]int{8, 8}}} {
		p := d.NewProgram("test")
		Conv2d(p, d.NewTensor("x", Act, 1, 4, 4, 4), w, o)
		if err := p.Build(context.Background()); err == nil || !strings.Contains(err.Error(), "Winograd") {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for _, text := range []string{"conv/small=winograd", "linear=winograd"} {
		if _, err := ParseKernels(text); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
	if err := NewPlanner(true, DefaultLimits).SetKernels(Kernels{}.With("conv", "winograd4")); err == nil || !strings.Contains(err.Error(), "activations in f32") {
		t.Errorf("F(4 × 4) with shader-f16: %v", err)
	}
}
