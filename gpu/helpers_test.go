package gpu

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// The operations' tests run twice. In Node and in a browser they compute. On the host they
// record for a planner, which checks every name and type that an operation gives to a kernel.

// testPath is a device that the tests run on.
type testPath struct {
	name     string
	f16      bool
	weights  WeightDType
	software bool // on the host: plan for a processor that emulates a GPU
}

// testWeights is the type that the weights of the test under way have on the GPU.
var testWeights WeightDType

// onEachPath runs a test on each of testPaths.
func onEachPath(t *testing.T, test func(t *testing.T, d *Device)) {
	t.Helper()
	for _, path := range testPaths() {
		t.Run(path.name, func(t *testing.T) {
			d := testDevice(t, path)
			testWeights = path.weights
			d.Guard = true
			test(t, d)
			if err := d.Check(); err != nil {
				t.Fatal(err)
			}
		})
	}
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
	afterRun(t, p)
}

// input makes a persistent tensor of the values and returns it together with the values as the
// tensor's type rounds them.
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

// normals draws n standard normal numbers that f16 can represent, so that a reference uses the
// same numbers as the GPU.
func normals(rng *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = Float32(Float16(float32(rng.NormFloat64())))
	}
	return v
}

// compare fails unless ||got - want|| / ||want|| is at most the tolerance and no number differs
// by more than 20 times the tolerance times the largest number of want. Where nothing computes,
// it compares only the lengths.
func compare(t *testing.T, what string, got, want []float32, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	if !computes {
		return
	}
	var diff, norm, largest, worst float64
	at := 0
	for i := range want {
		if math.IsNaN(float64(got[i])) {
			t.Fatalf("%s: number %d of %d is NaN, want %g: a kernel read what was never written, or past the end", what, i, len(got), want[i])
		}
		e := math.Abs(float64(got[i]) - float64(want[i]))
		diff += e * e
		norm += float64(want[i]) * float64(want[i])
		largest = max(largest, math.Abs(float64(want[i])))
		if e > worst {
			worst, at = e, i
		}
	}
	rel := math.Sqrt(diff / max(norm, 1e-30))
	report(t, rel, tolerance)
	if !(rel <= tolerance) {
		t.Fatalf("%s: relative error %.3g, at most %.3g allowed; worst at %d: %g, want %g", what, rel, tolerance, at, got[at], want[at])
	}
	if !(worst <= 20*tolerance*max(largest, 1e-30)) {
		t.Fatalf("%s: number %d is %g, want %g", what, at, got[at], want[at])
	}
}

// A kernel gets its uniform and both kinds of bindings.
func TestProgram(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		rng := rand.New(rand.NewPCG(1, 2))
		x, values := input(d, F32, normals(rng, 3*7), 3, 7)
		p := d.NewProgram("test")
		out := d.NewTensor("out", Act, 3, 7)
		castInto(p, x, out, -1, 0)
		run(t, p, 0)
		want := make([]float32, len(values))
		for i, v := range values {
			want[i] = -v
		}
		compare(t, "cast", output(t, out), want, 0)

		p = d.NewProgram("test")
		limited := Limited(p, x, 4, 3)
		p.Keep(limited)
		run(t, p, 0)
		for i, v := range values {
			want[i] = float32(3 * math.Tanh(4*float64(v)/3))
		}
		compare(t, "limited", output(t, limited), want, 1e-3)
	})
}

// randomParameter makes a parameter in memory and returns it with its numbers, which the type
// can represent.
func randomParameter(rng *rand.Rand, dtype string, scale float64, shape ...int) (Parameter, []float32) {
	p := Parameter{Name: "test", DType: dtype, Shape: shape}
	values := make([]float32, p.Count())
	var raw []byte
	for i := range values {
		v := float32(rng.NormFloat64() * scale)
		switch dtype {
		case "F16":
			h := Float16(v)
			v = Float32(h)
			raw = binary.LittleEndian.AppendUint16(raw, h)
		case "BF16":
			bits := math.Float32bits(v) >> 16
			v = math.Float32frombits(bits << 16)
			raw = binary.LittleEndian.AppendUint16(raw, uint16(bits))
		case "F8_E4M3", "F8_E5M2":
			code, mantissa := byte(rng.IntN(256)), 3
			if dtype == "F8_E5M2" {
				mantissa = 2
			}
			if v = float8(code, mantissa); !(v >= -4 && v <= 4) { // nor a NaN
				code &= 0x9f
				v = float8(code, mantissa)
			}
			raw = append(raw, code)
		default:
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
		}
		values[i] = v
	}
	p.Read = func(_ context.Context, off, n int64) (webapi.Bytes, error) {
		return webapi.BytesOf(raw[off : off+n]), nil
	}
	return p, values
}

func toFloat32(v []float64) []float32 {
	out := make([]float32, len(v))
	for i := range v {
		out[i] = float32(v[i])
	}
	return out
}

func toFloat64(v []float32) []float64 {
	out := make([]float64, len(v))
	for i := range v {
		out[i] = float64(v[i])
	}
	return out
}
