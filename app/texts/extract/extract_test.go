//go:build !js

package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../../.."

// The translations fit the English texts.
func TestLanguages(t *testing.T) {
	found, err := all(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range codes(root) {
		l, err := read(root, code)
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range l.problems(found) {
			t.Errorf("%s: %s", code, problem)
		}
		if list := l.missing(found); len(list) > 0 {
			t.Logf("%s lacks %d of %d texts, such as %q", code, len(list), len(found), list[0])
		}
	}
}

// Texts are found wherever they may stand.
func TestFound(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("web/index.html", `<html><body><p>A &amp; B</p><h1>Imprompt</h1><progress aria-label="Loading"></progress><noscript>None</noscript></body></html>`)
	write("web/js/a.js", `const t = 1; fail(t("It \"failed\": %s", 2)); format("x");`)
	write("app/a.go", "package a\nvar _ = texts.T(\"A\" + ` b`)\nvar _ = texts.Of(\"Kept\")\nvar _ = texts.F(\"%s of %d\", a, b)\nvar _ = texts.N(n, \"%d day\", \"%d days\")\nvar _ = texts.Bytes(n)\n")
	write("app/a_test.go", "package a\nvar _ = texts.T(\"in a test\")\n")
	found, err := all(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"%d days", "%s of %d", "A & B", "A b", "It \"failed\": %s", "Kept", "Loading"}
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if e := found["%d days"]; e.one != "%d day" || !e.format {
		t.Errorf("%+v", e)
	}

	// What is wrong with a language.
	l := language{
		"%d days": "%d Tage", "%s of %d": "%d von %s", "Kept": " ", "Old": "Alt", "A b": "A b", "A & B": map[string]any{"other": "A & B"},
	}
	for _, want := range []string{`"%d days" counts`, `"%d von %s" has other verbs`, `"Kept": the translation is empty`, `"A & B": forms`} {
		if got := strings.Join(l.problems(found), "\n"); !strings.Contains(got, want) {
			t.Errorf("%s: %s is not found", got, want)
		}
	}
	if got, want := l.missing(found), []string{"It \"failed\": %s", "Loading"}; !slices.Equal(got, want) {
		t.Errorf("%q are missing, want %q", got, want)
	}
	if got := l.unused(found); !slices.Equal(got, []string{"Old"}) {
		t.Errorf("%q are not used", got)
	}
	l["%s of %d"] = "%[2]d von %[1]s"
	if got := strings.Join(l.problems(found), "\n"); strings.Contains(got, "other verbs") {
		t.Errorf("another order is refused: %s", got)
	}

	// What is wrong in the source.
	for source, want := range map[string]string{
		"texts.T(name)":               "texts.Translate",
		`texts.F("%d of %d", n)`:      "2 verbs for 1 arguments",
		`texts.F("%.1f", n)`:          "texts.Number",
		`texts.N(n, "one", "%d two")`: "different verbs",
		`texts.N(n, "%d", "%d days")`: "other forms",
	} {
		write("app/b.go", "package a\nvar _ = "+source+"\n")
		if _, err := all(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", source, err, want)
		}
	}
}
