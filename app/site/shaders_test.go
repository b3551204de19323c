//go:build !js

package site

import "testing"

func TestCode(t *testing.T) {
	got := string(code([]byte("// What it computes.\n//needs prelude_conv2d\n\nfn f() { // adds\n  // twice\n  x += 1;\n}\n")))
	if want := "//needs prelude_conv2d\n\nfn f() { // adds\n  x += 1;\n}\n"; got != want {
		t.Errorf("%q", got)
	}
}
