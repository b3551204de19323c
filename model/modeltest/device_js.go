package modeltest

import (
	"context"
	"os"
	"testing"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/model/nn"
)

// shared are the devices that a package's tests share, by whether shader-f16 is left out. What was compiled for one
// test is there for the next.
var shared = map[bool]*gpu.Device{}

// Main runs a package's tests and closes the devices that they shared: Node does not end while one is open. It is for
// the TestMain of a package that calls OnSharedDevices.
func Main(m *testing.M) {
	code := m.Run()
	for _, d := range shared {
		d.Close()
	}
	os.Exit(code)
}

// OnSharedDevices is OnBothPaths on devices that all tests of a package share.
func OnSharedDevices(t *testing.T, test func(t *testing.T, d *gpu.Device)) {
	t.Helper()
	onBothPaths(t, func(t *testing.T, noF16 bool) {
		if shared[noF16] == nil {
			shared[noF16] = open(t, noF16)
		}
		test(t, shared[noF16])
	})
}

// OnBothPaths runs a test without shader-f16 and with it, on devices of its own. It fails if the GPU has no shader-f16.
// Without shader-f16, F32 weights stay F32.
func OnBothPaths(t *testing.T, test func(t *testing.T, d *gpu.Device)) {
	t.Helper()
	onBothPaths(t, func(t *testing.T, noF16 bool) {
		d := open(t, noF16)
		t.Cleanup(d.Close)
		test(t, d)
	})
}

func onBothPaths(t *testing.T, test func(t *testing.T, noF16 bool)) {
	t.Helper()
	t.Run("f32", func(t *testing.T) { test(t, true) })
	t.Run("f16", func(t *testing.T) { test(t, false) })
}

// open opens a device. IMPROMPT_KERNELS chooses its kernels, as generate's --kernels does.
func open(t *testing.T, noF16 bool) *gpu.Device {
	t.Helper()
	d, err := gpu.Open(context.Background(), gpu.Options{NoF16: noF16})
	if err != nil {
		t.Fatal(err)
	}
	if d.F16 == noF16 {
		d.Close()
		t.Fatalf("shader-f16 is %t on %s: ./build.sh setup installs a driver that has it", !noF16, d.Info)
	}
	kernels, err := gpu.ParseKernels(os.Getenv("IMPROMPT_KERNELS"))
	if err == nil {
		err = d.SetKernels(kernels)
	}
	if err != nil {
		d.Close()
		t.Fatalf("IMPROMPT_KERNELS: %v", err)
	}
	return d
}

// Weights is the dtype of weights in the tests. Without shader-f16 it keeps the numbers of an
// F32 checkpoint exactly.
func Weights(d *gpu.Device) gpu.WeightDType {
	if d.F16 {
		return gpu.WeightF16
	}
	return gpu.WeightF32
}

// Load loads a part of a model into a network, for as long as the test runs.
func Load(t *testing.T, d *gpu.Device, n nn.Network, m Model, part string) {
	t.Helper()
	if err := nn.Load(context.Background(), d, n, m.Checkpoint(part, !d.F16), Weights(d), nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nn.Unload(n) })
}

// Given is an input as tests/reference/networks.py makes it: hashed numbers, channels last.
func Given(d *gpu.Device, m Model, name string, shape ...int) *gpu.Tensor {
	x := d.NewTensor(name, gpu.Act, shape...)
	x.SetFloat32(GivenValues(m, name, x.Rows()*x.Channels()))
	return x
}

// GivenValues are the numbers of an input, in [-1, 1).
func GivenValues(m Model, name string, count int) []float32 {
	v := make([]float32, count)
	for i, seed := 0, seed("network/"+m.Name+"/"+name); i < count; i++ {
		v[i] = float32(uniform(seed, i))
	}
	return v
}

// Run records a program, runs it once, and returns its result.
func Run(t *testing.T, d *gpu.Device, record func(p *gpu.Program) *gpu.Tensor) []float32 {
	t.Helper()
	return RunAll(t, d, func(p *gpu.Program) []*gpu.Tensor { return []*gpu.Tensor{record(p)} })
}

// RunAll records a program, runs it once, and returns its results, one after the other.
func RunAll(t *testing.T, d *gpu.Device, record func(p *gpu.Program) []*gpu.Tensor) (got []float32) {
	t.Helper()
	ctx := context.Background()
	results, err := nn.OnceAll(ctx, d, t.Name(), record)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range results {
		defer x.Release()
		v, err := x.Float32(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, v...)
	}
	return got
}

// Networks holds what tests/reference/networks.py computes for each network alone.
type Networks struct {
	IDs             [][]int32
	Timesteps       []float64
	Latents, Pixels [2]int
	Networks        map[string]Output // by "MODEL/NETWORK"
}

// Output is a network's output, channels last.
type Output struct {
	Values   []float32
	F16Error float64 `json:"f16_error"`
}

// ReadNetworks reads tests/fixtures/networks/networks.json.
func ReadNetworks(t *testing.T) Networks {
	t.Helper()
	var f Networks
	Fixture(t, "networks/networks.json", &f)
	return f
}

// Check compares a network's output with the fixture's.
func (f Networks) Check(t *testing.T, d *gpu.Device, m Model, network string, got []float32) {
	t.Helper()
	want, ok := f.Networks[m.Name+"/"+network]
	if !ok {
		t.Fatalf("the fixture has no %s/%s", m.Name, network)
	}
	Compare(t, d, got, want.Values, want.F16Error)
}
