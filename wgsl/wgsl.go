package wgsl

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed *.wgsl
var files embed.FS

// source returns the text of NAME.wgsl.
func source(name string) (string, error) {
	b, err := files.ReadFile(name + ".wgsl")
	if err != nil {
		return "", fmt.Errorf("wgsl: there is no %s.wgsl", name)
	}
	return string(b), nil
}

// Names lists the kernels, without the preludes.
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
