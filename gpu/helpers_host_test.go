//go:build !js

package gpu

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/wgsl"
)

// computes says that operations have no results: there is no GPU.
const computes = false

// testPaths are both numeric paths, for a GPU and for a processor that emulates one.
func testPaths() []testPath {
	var paths []testPath
	for _, software := range []bool{false, true} {
		for _, p := range []testPath{{"f16", true, WeightF16, software}, {"f32", false, WeightF16, software}, {"f32-weights-f32", false, WeightF32, software}} {
			if software {
				p.name += "-software"
			}
			paths = append(paths, p)
		}
	}
	return paths
}

func testDevice(_ *testing.T, path testPath) *Device {
	d := NewPlanner(path.f16, DefaultLimits)
	d.Info.Software, d.Subgroups, d.SubgroupMin = path.software, true, 8
	return d
}

// report has nothing to tell where nothing computes.
func report(*testing.T, float64, float64) {}

// reached are the kernels that the tests have dispatched.
var reached = map[string]bool{}

// afterRun checks the constants of the program's kernels.
func afterRun(t *testing.T, p *Program) {
	t.Helper()
	for _, ds := range p.Dispatches() {
		reached[ds.Kernel] = true
		checkConstants(t, p.Device, ds)
	}
}

// TestMain fails if there is a kernel that no operation's test dispatches.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && !slices.ContainsFunc(os.Args, func(a string) bool { return strings.HasPrefix(a, "-test.run") || strings.HasPrefix(a, "-test.fuzz") }) {
		for _, name := range wgsl.Names() {
			if !reached[name] {
				fmt.Printf("no test dispatches %s.wgsl: write one beside its operation, with onEachPath and run\n", name)
				code = 1
			}
		}
	}
	os.Exit(code)
}

// The kernels that repack weights are dispatched by programs of their own.
func TestRepackKernels(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		for _, source := range []int{sourceF16, sourceF32, sourceBF16, sourceE4M3, sourceE5M2} {
			staged := d.NewBuffer("staged", 1<<16)
			p := d.NewProgram("repack")
			w := &ConvWeight{In: 16, Out: 64, Size: 3, dtype: testWeights, packed: d.NewBuffer("w", 1<<16)}
			p.Dispatch(w.repack(d, Staged{Buffer: staged, Rows: 64, source: source}, 0, [2]int{w.In, 1}, false))
			transformed := &ConvWeight{In: 16, Out: 64, Size: 3, winograd: 2, dtype: testWeights, packed: d.NewBuffer("winograd", 1<<17)}
			p.Dispatch(transformed.repackWinograd(d, Staged{Buffer: staged, Rows: 64, source: source}))
			p.Dispatch(w.makePhases(d, d.NewBuffer("phases", 1<<17)))
			table := &Table{Rows: 8, Channels: 16, dtype: testWeights, packed: d.NewBuffer("table", 1<<10)}
			p.Dispatch(table.repack(d, Staged{Buffer: staged, Rows: 8, source: source}))
			run(t, p, 0)
		}
	})
}

var (
	comments = regexp.MustCompile(`//[^\n]*`)
	capitals = regexp.MustCompile(`\b[A-Z][A-Z0-9_]*\b`)
	declared = regexp.MustCompile(`const ([A-Z][A-Z0-9_]*)\b`)
)

// checkConstants says whether a module uses every constant that it is given, and is given
// every one that it uses.
func checkConstants(t *testing.T, d *Device, ds Dispatch) {
	t.Helper()
	module, err := d.Module(ds)
	if err != nil {
		t.Fatal(err)
	}
	module = comments.ReplaceAllString(module, "")
	var known []string
	for _, m := range declared.FindAllStringSubmatch(module, -1) {
		if slices.Contains(known, m[1]) {
			t.Errorf("%s declares %s twice", ds.Kernel, m[1])
		}
		known = append(known, m[1])
	}
	for _, name := range capitals.FindAllString(module, -1) {
		if !slices.Contains(known, name) {
			t.Errorf("%s (%s) uses the constant %s, which it is not given", ds.Kernel, ds.Label, name)
		}
	}
	for _, c := range ds.Consts {
		if !isCode(c) && strings.Count(module, c.Name) < 2 {
			t.Errorf("%s (%s) is given the constant %s and does not use it", ds.Kernel, ds.Label, c.Name)
		}
	}
}

// isCode says whether a constant is one of a list that several kernels share.
func isCode(c Const) bool {
	return slices.Contains(convFlags, c) || slices.Contains(sourceCodes, c) || slices.Contains(samplerConsts, c)
}
