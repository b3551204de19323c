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

// shaderSource puts a module together: the extensions, the constants, the preludes and
// the kernel file, unchanged. What a kernel needs besides the two preludes of all, it says
// in lines of its own, "//needs subgroups" or "//needs prelude_conv2d".
func (d *Device) shaderSource(kernel string, consts []Const) (string, error) {
	body, err := wgsl.Source(kernel)
	if err != nil {
		return "", err
	}
	numbers := "prelude_f32"
	switch {
	case d.F16:
		numbers = "prelude_f16"
	case d.Weights == WeightF32:
		numbers = "prelude_f32w"
	}
	preludes := []string{numbers, "prelude_common"}
	var s strings.Builder
	if d.F16 {
		s.WriteString("enable f16;\n")
	}
	for line := range strings.Lines(body) {
		switch what, ok := strings.CutPrefix(strings.TrimSpace(line), "//needs "); {
		case !ok:
		case what == "subgroups":
			// The threads of a kernel for processors take every branch together, a few at a
			// time; that is more than the compiler can see.
			s.WriteString("enable subgroups;\ndiagnostic(off, subgroup_uniformity);\n")
		default:
			preludes = append(preludes, what)
		}
	}
	for _, c := range consts {
		s.WriteString(c.declare())
		s.WriteByte('\n')
	}
	for _, name := range preludes {
		text, err := wgsl.Source(name)
		if err != nil {
			return "", fmt.Errorf("%s.wgsl: %w", kernel, err)
		}
		s.WriteByte('\n')
		s.WriteString(text)
	}
	s.WriteByte('\n')
	s.WriteString(body)
	return s.String(), nil
}
