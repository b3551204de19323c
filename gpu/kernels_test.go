package gpu

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/wgsl"
)

// testPaths are the numeric paths that a backend must have.
var testPaths = []struct {
	name    string
	f16     bool
	weights WeightDType
}{{"f16", true, WeightF16}, {"f32", false, WeightF16}, {"f32-weights-f32", false, WeightF32}}

// zeros is a parameter of zeros.
func zeros(dtype string, shape ...int) Parameter {
	p := MemoryParameter("zeros", nil, shape...)
	p.DType = dtype
	size := p.ElementBytes()
	p.Read = MemoryParameter("zeros", make([]float32, p.Count()*size/4+1)).Read
	return p
}

// recordEverything records every operation with each of its options on a device.
func recordEverything(t *testing.T, d *Device) []Dispatch {
	t.Helper()
	ctx := context.Background()
	var dispatches []Dispatch
	build := func(p *Program) {
		t.Helper()
		if err := p.Build(ctx); err != nil {
			t.Fatal(err)
		}
		dispatches = append(dispatches, p.Dispatches()...)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	input := func(dt DType, shape ...int) *Tensor { return d.NewTensor("input", dt, shape...) }

	// Weights. Repack builds programs of its own, so their dispatches are recorded anew.
	conv := func(geglu bool, out, in, size int) *ConvWeight {
		w, err := d.NewConvWeight(ctx, "w", []Parameter{zeros("F16", out, in, size, size)}, []Parameter{zeros("F32", out)}, geglu)
		must(err)
		return w
	}
	table := func(rows, channels int) *Table {
		w, err := d.NewTable(ctx, "table", zeros("BF16", rows, channels))
		must(err)
		return w
	}
	for _, dtype := range []string{"F16", "F32", "BF16"} {
		p := d.NewProgram("repack")
		staged := d.NewBuffer("staged", 1<<16)
		w := conv(false, 64, 16, 3)
		p.Dispatch(w.repack(d, zeros(dtype, 64, 16, 3, 3), staged, 0, 64, 0))
		p.Dispatch(table(8, 16).repack(d, zeros(dtype, 8, 16), staged, 0, 8))
		build(p)
	}

	p := d.NewProgram("operations")
	x, x2, step := input(Act, 1, 16, 16, 32), input(Act, 1, 16, 16, 16), input(F32, 4, 64)
	for _, activation := range []Activation{NoActivation, SiLU, GELU, QuickGELU} {
		Conv2d(p, x, conv(false, 64, 32, 3), Conv2dOptions{Label: "conv", Padding: 1, Activation: activation})
	}
	y := Conv2d(p, x, conv(false, 64, 48, 3), Conv2dOptions{Label: "two inputs", Padding: 1, X2: x2, Table: step})
	Conv2d(p, y, conv(false, 64, 64, 3), Conv2dOptions{Label: "residual", Padding: 1, Residual: y, Scale: 0.5, UpsampleTo: [2]int{16, 16}})
	Conv2d(p, x, conv(false, 4, 32, 3), Conv2dOptions{Label: "to f32", Padding: 1, UpsampleTo: [2]int{32, 32}, Output: F32})
	Conv2d(p, input(Act, 1, 8, 8, 1280), conv(false, 1280, 1280, 3), Conv2dOptions{Label: "slices", Padding: 1})
	Conv2d(p, input(Act, 1, 64, 64, 320), conv(false, 320, 320, 3), Conv2dOptions{Label: "large", Padding: 1})
	Linear(p, input(Act, 1, 77, 32), conv(true, 128, 32, 1), LinearOptions{Label: "geglu", Activation: GEGLU})
	for _, head := range []int{8, 40, 64, 80, 160, 512} {
		q, kv := input(Act, 1, 64, 2*head), input(Act, 1, 77, 4*head)
		o := AttentionOptions{Label: "attention", Heads: 2, HeadSize: head, VAt: 2 * head}
		Attention(p, q, kv, o)
		o.Causal = true
		Attention(p, q, kv, o)
		o.Causal = false
		o.Image = &ImageAttention{KV: input(Act, 1, 4, 4*head), Spans: input(U32, 1, 4), Prompts: 1, Scales: input(F32, 4, 3)}
		Attention(p, q, kv, o)
		o.Image.Masks = input(F32, 1, 64)
		Attention(p, q, kv, o)
	}
	norm := NewNormWeight(48, d.NewBuffer("scale", 192), d.NewBuffer("shift", 192))
	GroupNorm(p, x, NewNormWeight(32, norm.scale, norm.shift), GroupNormOptions{Label: "norm", Groups: 8, Eps: 1e-5})
	GroupNorm(p, x, norm, GroupNormOptions{Label: "norm of two", Groups: 8, Eps: 1e-5, X2: x2, Activation: SiLU})
	LayerNorm(p, input(Act, 1, 77, 48), norm, 1e-5, "layer norm")
	Cast(p, input(F32, 1, 16), 2)
	CopyRows(p, x, p.NewTensor("rows", Act, x.Shape...), 0, 0, 16)
	ConcatTokens(p, SliceTokens(p, input(Act, 1, 8, 16), 2, 3), input(Act, 1, 2, 16))
	EmbedTokens(p, input(U32, 1, 8), table(100, 16), table(8, 16))
	EmbedPatches(p, input(Act, 1, 2, 2, 16), d.NewBuffer("class", 64), table(5, 16))
	for _, s := range []*Sampler{
		{State: input(F32, 6, 64, 4), Table: d.NewSamplerTable(make([]SamplerRow, 3)), Input: input(Act, 1, 8, 8, 4)},
		{State: input(F32, 6, 64, 4), Table: d.NewSamplerTable(make([]SamplerRow, 3)), Input: input(Act, 2, 8, 8, 9),
			Noise: input(F32, 2, 64, 4), Inpaint: input(F32, 3, 64, 4)},
	} {
		SamplerStart(p, s)
		SamplerStep(p, input(F32, s.Input.Shape[0], 8, 8, 4), s)
	}
	build(p)
	return dispatches
}

// Every operation gives every kernel that it may use the parameters, the bindings and the
// constants that the kernel declares: on both numeric paths, for a GPU and for a processor
// that plays one.
func TestEveryKernel(t *testing.T) {
	reached := map[string]bool{}
	for _, path := range testPaths {
		for _, software := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, software %t", path.name, software), func(t *testing.T) {
				d := NewPlanner(path.f16, DefaultLimits)
				d.Weights = path.weights
				d.Info.Software, d.Subgroups = software, software
				for _, ds := range recordEverything(t, d) {
					reached[ds.Kernel] = true
					checkConstants(t, d, ds)
				}
			})
		}
	}
	for _, name := range wgsl.Names() {
		if !reached[name] {
			t.Errorf("no operation dispatches %s: record it in recordEverything", name)
		}
	}
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

// A parameter or a binding that does not agree with the kernel's declaration is named.
func TestDispatchErrors(t *testing.T) {
	d := NewPlanner(false, DefaultLimits)
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
