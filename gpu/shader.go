package gpu

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/imprompt/imprompt/wgsl"
)

// Const is a constant of a kernel, fixed when its pipeline is compiled: a tile
// size, a flag. Value is an int, uint32, int32, float32 or bool; an int is u32.
type Const struct {
	Name  string
	Value any
}

func (c Const) declare() string {
	switch v := c.Value.(type) {
	case int:
		return fmt.Sprintf("const %s: u32 = %du;", c.Name, v)
	case uint32:
		return fmt.Sprintf("const %s: u32 = %du;", c.Name, v)
	case int32:
		return fmt.Sprintf("const %s: i32 = %di;", c.Name, v)
	case float32:
		return fmt.Sprintf("const %s: f32 = %sf;", c.Name, strconv.FormatFloat(float64(v), 'g', -1, 32))
	case bool:
		return fmt.Sprintf("const %s: bool = %t;", c.Name, v)
	}
	panic(fmt.Sprintf("gpu: constant %s has the type %T", c.Name, c.Value))
}

// shaderSource puts a module together: the f16 extension, the constants, the preludes
// that it needs and the kernel file, unchanged.
func (d *Device) shaderSource(kernel string, consts []Const) (string, error) {
	body, err := wgsl.Source(kernel)
	if err != nil {
		return "", err
	}
	prelude := "prelude_f32"
	switch {
	case d.F16:
		prelude = "prelude_f16"
	case d.Weights == WeightF32:
		prelude = "prelude_f32w"
	}
	numbers, err := wgsl.Source(prelude)
	if err != nil {
		return "", err
	}
	common, err := wgsl.Source("prelude_common")
	if err != nil {
		return "", err
	}
	var s strings.Builder
	if d.F16 {
		s.WriteString("enable f16;\n")
	}
	if strings.HasSuffix(kernel, "_cpu") {
		// Four threads take every branch together; that is more than the compiler can see.
		s.WriteString("enable subgroups;\ndiagnostic(off, subgroup_uniformity);\n")
	}
	for _, c := range consts {
		s.WriteString(c.declare())
		s.WriteByte('\n')
	}
	parts := []string{numbers, common, body}
	if kernel == "conv2d" || kernel == "conv2d_cpu" {
		places, err := wgsl.Source("prelude_conv2d")
		if err != nil {
			return "", err
		}
		parts = append(parts, places)
	}
	for _, part := range parts {
		s.WriteByte('\n')
		s.WriteString(part)
	}
	return s.String(), nil
}
