package gpu

import (
	"fmt"
	"strings"

	"github.com/imprompt/imprompt/wgsl"
)

// Const is a constant of a kernel, fixed when its pipeline is compiled: a tile size, a
// switch, a code that Go and WGSL share. Value is an int, which WGSL sees as u32, or a bool.
type Const struct {
	Name  string
	Value any
}

func (c Const) declare(s *strings.Builder) {
	switch v := c.Value.(type) {
	case int:
		fmt.Fprintf(s, "const %s: u32 = %du;\n", c.Name, v)
	case bool:
		fmt.Fprintf(s, "const %s: bool = %t;\n", c.Name, v)
	default:
		panic(fmt.Sprintf("gpu: constant %s has the type %T; int and bool are supported", c.Name, c.Value))
	}
}

// numbers are the types that a dispatch's kernel stores and computes with.
func (d *Device) numbers(ds Dispatch) wgsl.Numbers {
	switch {
	case d.F16:
		return wgsl.F16
	case ds.Weights == WeightF32:
		return wgsl.F32Weights
	}
	return wgsl.F32
}

// Module is the WGSL of a dispatch's pipeline.
func (d *Device) Module(ds Dispatch) (string, error) {
	k, err := wgsl.Load(ds.Kernel)
	if err != nil {
		return "", err
	}
	var constants strings.Builder
	for _, c := range append(activationCodes, ds.Consts...) {
		c.declare(&constants)
	}
	return k.Module(d.numbers(ds), constants.String())
}
