package wgsl

import (
	"reflect"
	"strings"
	"testing"
)

func TestLoad(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			k, err := Load(name)
			if err != nil {
				t.Fatal(err)
			}
			if len(k.Params) == 0 || len(k.Bindings) == 0 {
				t.Errorf("%d parameters and %d bindings were found", len(k.Params), len(k.Bindings))
			}
			for _, n := range []Numbers{F16, F32, F32Weights} {
				module, err := k.Module(n, "const X: u32 = 1u;\n")
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(module, "enable f16;") != (n == F16) || strings.Count(module, "struct Params {") != 1 {
					t.Errorf("the module for %s is not whole", n)
				}
			}
		})
	}
	if _, err := Load("prelude_nothing"); err == nil {
		t.Error("a kernel that does not exist was loaded")
	}
}

func TestDeclarations(t *testing.T) {
	const text = `
struct Params {
    count: u32,      // how many
    // a comment
    top: i32,
    scale: f32
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Act4>; // the input
@group(0) @binding(2) var<storage, read_write> y: array<vec4<u32>>;
struct Other {
    not: vec4<f32>,
}
`
	k := &Kernel{}
	if err := k.parseDeclarations(text); err != nil {
		t.Fatal(err)
	}
	if want := []Field{{"count", "u32"}, {"top", "i32"}, {"scale", "f32"}}; !reflect.DeepEqual(k.Params, want) {
		t.Errorf("fields %v, want %v", k.Params, want)
	}
	if want := []Binding{{"x", false}, {"y", true}}; !reflect.DeepEqual(k.Bindings, want) {
		t.Errorf("bindings %v, want %v", k.Bindings, want)
	}
	for _, c := range []struct{ name, text string }{
		{"vector in the uniform", "struct Params {\n    at: vec4<f32>,\n}"},
		{"gap in the bindings", "@group(0) @binding(2) var<storage, read> x: array<f32>;"},
		{"storage at binding 0", "@group(0) @binding(0) var<storage, read> x: array<f32>;"},
		{"uniform at binding 1", "@group(0) @binding(1) var<uniform> p: Params;"},
		{"unknown access", "@group(0) @binding(1) var<storage, write> x: array<f32>;"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := (&Kernel{}).parseDeclarations(c.text); err == nil {
				t.Error("it was accepted")
			}
		})
	}
}
