//go:build js && wasm

package gpu

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
)

// backend is what the tests run on: "node", "swiftshader", or "card" for a visitor's GPU, where the page runs them
// (web/js/check.js).
var backend = os.Getenv("IMPROMPT_BACKEND")

// cardHasF16 says whether the GPU has shader-f16.
var cardHasF16 = sync.OnceValue(func() bool {
	d, err := Open(context.Background(), Options{})
	if err != nil {
		return false // the first test says why
	}
	if d.F16 {
		testDevices[true] = d
	} else {
		testDevices[false] = d
	}
	return d.F16
})

// report tells the page how far a result is off.
func report(t *testing.T, err, tolerance float64) {
	if backend == "card" {
		t.Attr("error", fmt.Sprintf("%.3g %.3g", err, tolerance))
	}
}

// computes says that operations have results to compare.
const computes = true

// testPaths are the numeric paths that the backend must have: without shader-f16 (weights in
// f16 and in f32), and, except on SwiftShader, with it. A missing path fails.
func testPaths() []testPath {
	paths := []testPath{{name: "f32", weights: WeightF16}, {name: "f32-weights-f32", weights: WeightF32}}
	switch backend {
	case "swiftshader":
		return paths // SwiftShader has no shader-f16; the run in Node covers it
	case "card":
		if !cardHasF16() {
			return paths
		}
	}
	return append([]testPath{{name: "f16", f16: true, weights: WeightF16}}, paths...)
}

var testDevices = map[bool]*Device{}

// testDevice opens a device once for the whole run; opening one takes longer than most tests.
func testDevice(t *testing.T, path testPath) *Device {
	t.Helper()
	if path.software {
		t.Fatal("only a planner emulates a GPU")
	}
	d, ok := testDevices[path.f16]
	if !ok {
		var err error
		if d, err = Open(context.Background(), Options{NoF16: !path.f16}); err != nil {
			t.Fatal(err)
		}
		testDevices[path.f16] = d
	}
	if d.F16 != path.f16 {
		t.Fatalf("shader-f16 is %t on %s: install Mesa 25's lavapipe (./build.sh setup) and set VK_DRIVER_FILES to its lvp_icd.json", d.F16, d.Info)
	}
	return d
}

// afterRun checks the guard bands.
func afterRun(t *testing.T, p *Program) {
	t.Helper()
	if err := p.CheckGuards(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// A run makes as many calls into JavaScript with a hundred dispatches as with one.
func TestCalls(t *testing.T) {
	if backend != "node" {
		return // only web/js/node.js counts calls
	}
	d := testDevice(t, testPath{})
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
