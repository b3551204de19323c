//go:build !js

package site

import (
	"os"
	"strings"
	"testing"
)

// The licences of everything that is compiled into the page are there, including Go's and
// the project's own.
func TestLicences(t *testing.T) {
	t.Chdir("../..") // where the site is built
	b, err := licences()
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	wanted := []string{"\nGo 1.", "github.com/imprompt/imprompt", "Copyright 2009 The Go Authors", "MoveNet", "Copyright (c) Vladimir Mandic"}
	for _, line := range strings.Split(string(mod), "\n") {
		if line, ok := strings.CutPrefix(line, "\t"); ok {
			wanted = append(wanted, strings.TrimSuffix(line, " // indirect"))
		}
	}
	for _, w := range wanted {
		if !strings.Contains(text, w) {
			t.Errorf("there is no %q", w)
		}
	}
}
