//go:build !js

package site

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// go-app is one package for the server and for the browser, and its server half imports
// net/http, with TLS and all of its cryptography: 1.6 MB of a page's program that never
// runs. The page is compiled with a copy of the module without that half.
const (
	goApp       = "github.com/maxence-charriere/go-app/v10"
	goAppCopy   = ".build/go-app"     // below the project's root; git ignores it
	browserMods = ".build/go-app.mod" // the project's go.mod, with goAppCopy in place of goApp
)

// browserHalf replaces resource.go, which resolves addresses for the server. The page has
// no addresses to resolve: its site is served as it is.
const browserHalf = `package app

// Handler is the server's; GenerateStaticWebsite, which panics in a browser, names it.
type Handler struct{}

func clientResourceResolver(string) func(string) string {
	return func(location string) string { return location }
}
`

// browserModule makes the copy, and returns the go.mod to compile the page with.
func browserModule() (modfile string, err error) {
	out, err := exec.Command("go", "mod", "download", "-json", goApp).Output()
	if err == nil {
		out, err = exec.Command("go", "list", "-m", "-f", "{{.Dir}}", goApp).Output()
	}
	if err != nil {
		return "", fmt.Errorf("finding the folder of %s: %w", goApp, err)
	}
	from := strings.TrimSpace(string(out))
	err = filepath.WalkDir(filepath.Join(from, "pkg"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil || name == filepath.Join("pkg", "app", "http.go") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if name == filepath.Join("pkg", "app", "resource.go") {
			b = []byte(browserHalf)
		}
		return writeChanged(filepath.Join(goAppCopy, name), b)
	})
	if err != nil {
		return "", err
	}
	for to, from := range map[string]string{filepath.Join(goAppCopy, "go.mod"): filepath.Join(from, "go.mod"), strings.TrimSuffix(browserMods, ".mod") + ".sum": "go.sum"} {
		b, err := os.ReadFile(from)
		if err != nil {
			return "", err
		}
		if err := writeChanged(to, b); err != nil {
			return "", err
		}
	}
	b, err := os.ReadFile("go.mod")
	if err != nil {
		return "", err
	}
	return browserMods, writeChanged(browserMods, fmt.Appendf(b, "\nreplace %s => ./%s\n", goApp, goAppCopy))
}

// writeChanged writes a file unless it has that content already.
func writeChanged(name string, content []byte) error {
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, content) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, content, 0o644)
}
