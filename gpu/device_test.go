//go:build js && wasm

package gpu

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"testing"
)

// onEachPath runs a test on every numeric path that the backend must have: without
// shader-f16 (weights in f16 and in f32), and, but for SwiftShader, with it. A
// missing path fails.
func onEachPath(t *testing.T, test func(t *testing.T, d *Device)) {
	t.Helper()
	for _, path := range testPaths {
		if path.f16 && os.Getenv("IMPROMPT_BACKEND") == "swiftshader" {
			continue // SwiftShader has no shader-f16; the Node run covers it
		}
		t.Run(path.name, func(t *testing.T) {
			d := testDevice(t, !path.f16)
			if d.F16 != path.f16 {
				t.Fatalf("shader-f16 is %t on %s: install Mesa 25's lavapipe (./build.sh setup) and set VK_DRIVER_FILES to its lvp_icd.json", d.F16, d.Info)
			}
			d.Weights = path.weights
			d.Guard = true
			test(t, d)
			if err := d.Check(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

var testDevices = map[bool]*Device{}

// testDevice opens a device once for the whole run; opening costs more than most tests.
func testDevice(t *testing.T, noF16 bool) *Device {
	t.Helper()
	if d, ok := testDevices[noF16]; ok {
		return d
	}
	d, err := Open(context.Background(), Options{NoF16: noF16})
	if err != nil {
		t.Fatal(err)
	}
	testDevices[noF16] = d
	return d
}

// run builds and runs a program once and checks the guard bands.
func run(t *testing.T, p *Program, step int) {
	t.Helper()
	ctx := context.Background()
	if err := p.Build(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Release)
	if err := p.Run(ctx, step); err != nil {
		t.Fatal(err)
	}
	if err := p.CheckGuards(ctx); err != nil {
		t.Fatal(err)
	}
}

// input makes a persistent tensor that holds values, and returns beside it the
// values as they are after rounding to the tensor's type.
func input(d *Device, dt DType, values []float32, shape ...int) (*Tensor, []float32) {
	x := d.NewTensor("input", dt, shape...)
	x.SetFloat32(values)
	rounded := values
	if x.DType == F16 {
		rounded = make([]float32, len(values))
		for i, v := range values {
			rounded[i] = Float32(Float16(v))
		}
	}
	return x, rounded
}

// output reads a tensor back.
func output(t *testing.T, x *Tensor) []float32 {
	t.Helper()
	v, err := x.Float32(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// normals draws n standard normal numbers that f16 holds exactly, so that a
// reference computed from them sees what the GPU sees.
func normals(rng *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = Float32(Float16(float32(rng.NormFloat64())))
	}
	return v
}

// compare fails unless ||got - want|| / ||want|| is at most tolerance and no single
// number is further off than 20 times the tolerance times want's largest.
func compare(t *testing.T, what string, got, want []float32, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	var diff, norm, largest, worst float64
	at := 0
	for i := range want {
		if math.IsNaN(float64(got[i])) {
			t.Fatalf("%s: number %d of %d is NaN, want %g: something unwritten or beyond the end was read", what, i, len(got), want[i])
		}
		e := math.Abs(float64(got[i]) - float64(want[i]))
		diff += e * e
		norm += float64(want[i]) * float64(want[i])
		largest = max(largest, math.Abs(float64(want[i])))
		if e > worst {
			worst, at = e, i
		}
	}
	if rel := math.Sqrt(diff / max(norm, 1e-30)); !(rel <= tolerance) {
		t.Fatalf("%s: relative error %.3g, at most %.3g allowed; worst at %d: %g, want %g", what, rel, tolerance, at, got[at], want[at])
	}
	if !(worst <= 20*tolerance*max(largest, 1e-30)) {
		t.Fatalf("%s: number %d is %g, want %g", what, at, got[at], want[at])
	}
}

// A run makes as many calls into JavaScript with a hundred dispatches as with one.
func TestCalls(t *testing.T) {
	if os.Getenv("IMPROMPT_BACKEND") == "swiftshader" {
		t.Skip("only web/js/node.js counts calls")
	}
	d := testDevice(t, true)
	x, _ := input(d, F32, make([]float32, 16), 1, 16)
	var calls []int
	for _, dispatches := range []int{1, 100} {
		p := d.NewProgram("test")
		for range dispatches {
			Cast(p, x, 1)
		}
		run(t, p, 0)
		calls = append(calls, p.Calls())
	}
	if calls[0] == 0 || calls[0] != calls[1] {
		t.Errorf("%d calls with one dispatch, %d with a hundred", calls[0], calls[1])
	}
	t.Logf("%d calls", calls[0])
}

// A dispatch's uniform and both kinds of binding reach the kernel.
func TestProgram(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		rng := rand.New(rand.NewPCG(1, 2))
		x, values := input(d, F32, normals(rng, 3*7), 3, 7)
		p := d.NewProgram("test")
		out := d.NewTensor("out", Act, 3, 7)
		castInto(p, x, out, -1)
		run(t, p, 0)
		want := make([]float32, len(values))
		for i, v := range values {
			want[i] = -v
		}
		compare(t, "cast", output(t, out), want, 0)
	})
}
