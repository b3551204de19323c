//go:build !js

package site

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// go-app is one package for the server and for the browser, and its server half imports
// net/http, with TLS and all of its cryptography: 1.6 MB of a page's program that never
// runs. It also brings ciphers and hashes for encrypted storage and random ids, which the page does not use and the browser has. The
// page is compiled with a copy of the module without these.
const (
	goApp       = "github.com/maxence-charriere/go-app/v10"
	goAppCopies = ".build/go-app"     // a folder for each version; git ignores it
	browserMods = ".build/go-app.mod" // the project's go.mod, with a copy in place of goApp
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

// noCiphers replaces crypto.go. The page stores nothing encrypted.
const noCiphers = `package app

import "github.com/maxence-charriere/go-app/v10/pkg/errors"

func encrypt(string, []byte) ([]byte, error) { return nil, errors.New("this page encrypts nothing") }
func decrypt(string, []byte) ([]byte, error) { return nil, errors.New("this page encrypts nothing") }
`

// browsersIDs has the browser make random ids in place of a package that brings its own random numbers.
var browsersIDs = strings.NewReplacer(
	"\t\"github.com/google/uuid\"\n", "",
	"uuid.NewString()", `Window().Get("crypto").Call("randomUUID").String()`)

// browserModule makes the copy, and returns the go.mod to compile the page with.
func browserModule() (modfile string, err error) {
	out, err := exec.Command("go", "mod", "download", "-json", goApp).Output()
	var module struct{ Dir, Version string }
	if err == nil {
		err = json.Unmarshal(out, &module)
	}
	if err != nil {
		return "", fmt.Errorf("finding the folder of %s: %w", goApp, err)
	}
	from, to := module.Dir, path.Join(goAppCopies, module.Version)
	err = filepath.WalkDir(filepath.Join(from, "pkg"), func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(file, "_test.go") {
			return err
		}
		name, err := filepath.Rel(from, file)
		if err != nil || name == filepath.Join("pkg", "app", "http.go") {
			return err
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		switch name {
		case filepath.Join("pkg", "app", "resource.go"):
			b = []byte(browserHalf)
		case filepath.Join("pkg", "app", "crypto.go"):
			b = []byte(noCiphers)
		}
		return writeChanged(filepath.Join(to, name), []byte(browsersIDs.Replace(string(b))))
	})
	if err != nil {
		return "", err
	}
	for copied, original := range map[string]string{filepath.Join(to, "go.mod"): filepath.Join(from, "go.mod"), strings.TrimSuffix(browserMods, ".mod") + ".sum": "go.sum"} {
		b, err := os.ReadFile(original)
		if err != nil {
			return "", err
		}
		if err := writeChanged(copied, b); err != nil {
			return "", err
		}
	}
	b, err := os.ReadFile("go.mod")
	if err != nil {
		return "", err
	}
	return browserMods, writeChanged(browserMods, fmt.Appendf(b, "\nreplace %s => ./%s\n", goApp, to))
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
