// Package wgsl holds the compute shaders, one kernel a file. Each file opens with
// its contract: what it computes, its bindings, shapes and constants. A module is
// made of a header of constants, a prelude of the numeric path, what kernels share (what
// not all of them need, a kernel names in lines "//needs NAME"), and the kernel file, whole.
package wgsl

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed *.wgsl
var files embed.FS

// Source returns the text of NAME.wgsl.
func Source(name string) (string, error) {
	b, err := files.ReadFile(name + ".wgsl")
	if err != nil {
		return "", fmt.Errorf("wgsl: there is no kernel %q", name)
	}
	return string(b), nil
}

// Names lists the kernels, preludes left out.
func Names() []string {
	entries, _ := files.ReadDir(".")
	var names []string
	for _, e := range entries {
		if n := strings.TrimSuffix(e.Name(), ".wgsl"); !strings.HasPrefix(n, "prelude_") {
			names = append(names, n)
		}
	}
	return names
}
