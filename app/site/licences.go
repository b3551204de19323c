//go:build !js

package site

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// licences returns the licence texts of everything that is compiled into the site's
// WebAssembly, which is this project, every module that it imports, and Go's standard library,
// and the texts of the one JavaScript library and the one network that the site has from others.
// Google's go-licenses does the same and also classifies the texts, but its dependencies
// would be larger than all others of the build.
func licences() ([]byte, error) {
	modules, err := compiledModules()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString("The programs of this site are compiled from the following. Attributions for the model, the fonts and the vocabulary are beside those files.\n")
	for _, m := range modules {
		texts, err := licenceFiles(m.dir)
		if err != nil {
			return nil, err
		}
		if len(texts) == 0 {
			return nil, fmt.Errorf("%s has no licence file in %s: find out whether the site may include it", m.name, m.dir)
		}
		fmt.Fprintf(&b, "\n%s\n%s\n%s\n", strings.Repeat("=", 80), m.name, strings.Repeat("=", 80))
		for _, text := range texts {
			fmt.Fprintf(&b, "\n%s\n", bytes.TrimSpace(text))
		}
	}
	text, err := os.ReadFile("web/js/LICENSE-hash-wasm.txt")
	if err != nil {
		return nil, err
	}
	packaged, err := os.ReadFile(filepath.Join(human, "LICENSE"))
	if err != nil {
		return nil, fmt.Errorf("%w: it is part of the npm packages, which ./build.sh setup installs", err)
	}
	fmt.Fprintf(&b, "\n%s\nMoveNet SinglePose Lightning 4 by Google, https://tfhub.dev/google/movenet/singlepose/lightning/4, which finds poses (web/pose)\n%[1]s\n\n"+
		"The network is under the Apache License 2.0, whose text stands above with this project's. Its files are those of @vladmandic/human, https://www.npmjs.com/package/@vladmandic/human:\n\n%s\n",
		strings.Repeat("=", 80), bytes.TrimSpace(packaged))
	fmt.Fprintf(&b, "\n%s\nhash-wasm, https://www.npmjs.com/package/hash-wasm\n%[1]s\n\n%s\n", strings.Repeat("=", 80), bytes.TrimSpace(text))
	return b.Bytes(), nil
}

type module struct{ name, dir string }

// compiledModules lists the modules that the site's programs are compiled from, and Go.
func compiledModules() ([]module, error) {
	args := []string{"list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}"}
	for _, program := range programs {
		args = append(args, program.source)
	}
	list := exec.Command("go", args...)
	list.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("listing the site's modules: %w", err)
	}
	goroot, err := exec.Command("go", "env", "GOROOT", "GOVERSION").Output()
	if err != nil {
		return nil, fmt.Errorf("asking for Go's folder: %w", err)
	}
	root, version, _ := strings.Cut(strings.TrimSpace(string(goroot)), "\n")
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(lines)
	modules := []module{{"Go " + strings.TrimPrefix(version, "go") + ", https://go.dev", root}}
	for _, line := range slices.Compact(lines) {
		if name, dir, ok := strings.Cut(line, "\t"); ok {
			modules = append(modules, module{strings.TrimSpace(name), dir})
		}
	}
	return modules, nil
}

// licenceFiles reads the files of a folder whose names say that they are licences or notices.
func licenceFiles(dir string) (texts [][]byte, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name := strings.ToUpper(strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())))
		if e.IsDir() || !slices.Contains([]string{"LICENSE", "LICENCE", "COPYING", "NOTICE", "PATENTS"}, name) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, nil
}
