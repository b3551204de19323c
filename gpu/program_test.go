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
		Params: []Param{{"count", 4}, {"stride", 64}, {"factor", 1.5}},
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
		{"missing parameter", func(ds *Dispatch) { ds.Params = ds.Params[:2] }, `gpu: cast (y): parameter "factor" is missing`},
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
