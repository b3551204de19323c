package wgsl

import (
	"fmt"
	"strings"
	"sync"
)

// Kernel is what a kernel's file tells the program that dispatches it.
type Kernel struct {
	Name     string
	Params   []Field   // of struct Params, the uniform at binding 0; empty if there is none
	Bindings []Binding // the storage buffers at bindings 1, 2, …

	subgroups bool
	preludes  []string // the texts of the files that the kernel needs
	body      string
}

// Field is a member of struct Params. Members are scalars, so that the uniform's layout
// is four bytes for each, in their order.
type Field struct {
	Name string
	Type string // u32, i32 or f32
}

// Binding is a storage buffer of a kernel.
type Binding struct {
	Name  string
	Write bool // read_write; otherwise read
}

// kernels holds the parsed kernels by name.
var kernels sync.Map

// Load returns the kernel in NAME.wgsl. A kernel is parsed once.
func Load(name string) (*Kernel, error) {
	if k, ok := kernels.Load(name); ok {
		return k.(*Kernel), nil
	}
	k, err := parse(name)
	if err != nil {
		return nil, err
	}
	kernels.Store(name, k)
	return k, nil
}

func parse(name string) (*Kernel, error) {
	k := &Kernel{Name: name}
	var err error
	if k.body, err = source(name); err != nil {
		return nil, err
	}
	for line := range strings.Lines(k.body) {
		need, ok := strings.CutPrefix(strings.TrimSpace(line), "//needs ")
		switch {
		case !ok:
		case need == "subgroups":
			k.subgroups = true
		default:
			text, err := source(need)
			if err != nil {
				return nil, fmt.Errorf("%s.wgsl: %w", name, err)
			}
			k.preludes = append(k.preludes, text)
		}
	}
	if err := k.parseDeclarations(strings.Join(append(k.preludes, k.body), "\n")); err != nil {
		return nil, fmt.Errorf("%s.wgsl: %w", name, err)
	}
	return k, nil
}

// parseDeclarations finds struct Params and the bindings. It reads lines, and so expects
// one member, or one binding, on each.
func (k *Kernel) parseDeclarations(text string) error {
	inParams := false
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "//")
		line = strings.TrimSpace(line)
		switch {
		case line == "struct Params {":
			inParams = true
		case inParams && line == "}":
			inParams = false
		case inParams && line != "":
			name, kind, ok := strings.Cut(strings.TrimSuffix(line, ","), ": ")
			if !ok || kind != "u32" && kind != "i32" && kind != "f32" {
				return fmt.Errorf("%q in struct Params is not a scalar, as in \"count: u32,\" (u32, i32 or f32)", line)
			}
			k.Params = append(k.Params, Field{name, kind})
		case strings.HasPrefix(line, "@group(0) @binding("):
			if err := k.parseBinding(line); err != nil {
				return err
			}
		}
	}
	return nil
}

// parseBinding reads, for example, "@group(0) @binding(1) var<storage, read> x: array<Act4>;".
func (k *Kernel) parseBinding(line string) error {
	number, rest, _ := strings.Cut(strings.TrimPrefix(line, "@group(0) @binding("), ") var<")
	space, rest, _ := strings.Cut(rest, "> ")
	name, _, ok := strings.Cut(rest, ": ")
	if space == "uniform" {
		if number != "0" {
			return fmt.Errorf("%q: the uniform has to be binding 0", line)
		}
		return nil
	}
	if want := fmt.Sprint(len(k.Bindings) + 1); !ok || number != want {
		return fmt.Errorf("%q: expected binding %s", line, want)
	}
	if space != "storage, read" && space != "storage, read_write" {
		return fmt.Errorf("%q: storage is read or read_write", line)
	}
	k.Bindings = append(k.Bindings, Binding{Name: name, Write: space == "storage, read_write"})
	return nil
}

// Numbers is the numeric path that a module is assembled for.
type Numbers string

const (
	F16        Numbers = "f16"  // with shader-f16: activations and weights are f16
	F32        Numbers = "f32"  // without it: activations are f32, weights are f16 in pairs
	F32Weights Numbers = "f32w" // without it: activations and weights are f32
)

// Module assembles the kernel's shader module: the extensions, the constants (WGSL
// declarations), the preludes and the kernel's file, unchanged.
func (k *Kernel) Module(n Numbers, constants string) (string, error) {
	var s strings.Builder
	if n == F16 {
		s.WriteString("enable f16;\n")
	}
	if k.subgroups {
		// The threads of a kernel for processors take every branch together, four at a
		// time; a compiler cannot see that.
		s.WriteString("enable subgroups;\ndiagnostic(off, subgroup_uniformity);\n")
	}
	s.WriteString(constants)
	for _, name := range []string{"prelude_" + string(n), "prelude_common"} {
		text, err := source(name)
		if err != nil {
			return "", err
		}
		s.WriteByte('\n')
		s.WriteString(text)
	}
	for _, text := range append(k.preludes, k.body) {
		s.WriteByte('\n')
		s.WriteString(text)
	}
	return s.String(), nil
}
