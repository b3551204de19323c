package gpu

import (
	"context"
	"slices"
	"strings"
	"testing"
)

// A parameter or a binding that does not agree with the kernel's declaration is named.
func TestDispatchErrors(t *testing.T) {
	d := testDevice(t, testPath{})
	x := d.NewTensor("x", F32, 16)
	good := Dispatch{Kernel: "cast", Label: "y",
		Params: []Param{{"count", 4}, {"stride", 64}, {"factor", 1.5}, {"limit", 0.0}},
		Bind:   []Binding{In("x", x), Out("y", d.NewTensor("y", F32, 16))}}
	for _, c := range []struct {
		name   string
		change func(*Dispatch)
		want   string
	}{
		{"correct", func(*Dispatch) {}, ""},
		{"parameters in another order", func(ds *Dispatch) { slices.Reverse(ds.Params) }, ""},
		{"bindings in another order", func(ds *Dispatch) { slices.Reverse(ds.Bind) }, ""},
		{"unknown kernel", func(ds *Dispatch) { ds.Kernel = "cats" }, "there is no cats.wgsl"},
		{"missing parameter", func(ds *Dispatch) { ds.Params = slices.Delete(ds.Params, 2, 3) }, `gpu: cast (y): parameter "factor" is missing`},
		{"extra parameter", func(ds *Dispatch) { ds.Params = append(ds.Params, Param{"counts", 1}) }, `no parameter "counts"`},
		{"parameter given twice", func(ds *Dispatch) { ds.Params = append(ds.Params, Param{"count", 1}) }, `no parameter "count", or it is given twice`},
		{"integer for f32", func(ds *Dispatch) { ds.Params[2].Value = 1 }, `parameter "factor" is f32 in the kernel and cannot be int 1`},
		{"fraction for u32", func(ds *Dispatch) { ds.Params[0].Value = 1.5 }, `parameter "count" is u32 in the kernel and cannot be float64 1.5`},
		{"negative u32", func(ds *Dispatch) { ds.Params[0].Value = -1 }, `parameter "count" is u32 in the kernel and cannot be int -1`},
		{"missing binding", func(ds *Dispatch) { ds.Bind = ds.Bind[:1] }, `binding "y" is missing`},
		{"extra binding", func(ds *Dispatch) { ds.Bind = append(ds.Bind, In("z", x)) }, `no binding "z"`},
		{"empty binding", func(ds *Dispatch) { ds.Bind[0] = In("x", nil) }, `binding "x" is empty`},
		{"binding that the kernel only reads", func(ds *Dispatch) { ds.Bind[0] = Out("x", x) }, `binding "x"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			ds := good
			ds.Params, ds.Bind = slices.Clone(good.Params), slices.Clone(good.Bind)
			c.change(&ds)
			p := d.NewProgram("test")
			p.Dispatch(ds)
			err := p.Build(context.Background())
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("the error is %v, want %q in it", err, c.want)
			}
		})
	}
}

// What is recorded for some of the steps runs in these only, and what is recorded within it in those of
// them that it names.
func TestWhen(t *testing.T) {
	onEachPath(t, func(t *testing.T, d *Device) {
		a, _ := input(d, Act, []float32{1, 2, 3, 4}, 1, 4)
		b, _ := input(d, Act, []float32{5, 6, 7, 8}, 1, 4)
		p := d.NewProgram("test")
		p.Step()
		y := p.NewTensor("y", Act, 1, 4)
		p.Keep(y)
		first := []bool{true, true, false}
		p.When(first, func() {
			CopyRows(p, a, y, 0, 0, 1)
			p.When([]bool{false, true, true}, func() { CopyRows(p, Add(p, a, b, AddOptions{Label: "sum"}), y, 0, 0, 1) })
		})
		p.When(Not(first), func() { CopyRows(p, b, y, 0, 0, 1) })
		for step, want := range [][]float32{{1, 2, 3, 4}, {6, 8, 10, 12}, {5, 6, 7, 8}} {
			if step == 0 {
				run(t, p, step)
			} else if err := p.Run(context.Background(), step); err != nil {
				t.Fatal(err)
			}
			compare(t, "step", output(t, y), want, 0)
			active := 0
			for _, ds := range p.Dispatches() {
				if p.Active(ds, step) {
					active++
				}
			}
			if active != []int{1, 3, 1}[step] {
				t.Errorf("step %d has %d dispatches", step, active)
			}
		}
	})
}
