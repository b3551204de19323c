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

// Every language has every text and no other, in a form that fits the English one.
func TestLanguages(t *testing.T) {
	found, err := all(root)
	if err != nil {
		t.Fatal(err)
	}
	english, err := read(root, "en")
	if err != nil {
		t.Fatal(err)
	}
	if len(english.missing(found)) > 0 || len(english.unused(found)) > 0 {
		t.Errorf("en.json lacks %q and has %q besides: run go run ./app/texts/extract", english.missing(found), english.unused(found))
	}
	list := codes(root)
	if len(list) == 0 {
		t.Fatal("there are no languages")
	}
	for _, code := range list {
		l, err := read(root, code)
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range l.problems(found) {
			t.Errorf("%s: %s", code, problem)
		}
		if missing := l.missing(found); len(missing) > 0 {
			t.Errorf("%s lacks %q: go run ./app/texts/extract -missing %s lists them to be translated", code, missing, code)
		}
		if unused := l.unused(found); len(unused) > 0 {
			t.Errorf("%s has %q, which nobody says: run go run ./app/texts/extract", code, unused)
		}
	}
}

// The page offers the languages that there are.
func TestOffered(t *testing.T) {
	for _, name := range []string{"web/js/language.js", "app/ui/language_js.go"} {
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range append(codes(root), "en") {
			if text := string(b); !strings.Contains(text, code+": \"") && !strings.Contains(text, "\""+code+"\"") {
				t.Errorf("%s does not know %s", name, code)
			}
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
	write("web/catalogue.json", `{"models": [{"id": "a", "name": "A name", "about": "About it."}]}`)
	write("web/js/a.js", `const t = 1; fail(t("It \"failed\": %s", 2)); format("x");`)
	write("app/texts/texts.go", `package texts
		type Text string
		func T(Text) string
		type Pattern string
		func F(Text, ...any) string
		func Errorf(Text, ...any) error
		func N(int, Text, Text, ...any) string
		func Bytes(int) string { return F("%s kB", "") }`)
	const in = "package state\nimport (\"fmt\"; \"github.com/imprompt/imprompt/app/texts\"; \"elsewhere/app\")\n"
	write("app/state/a.go", in+`
		type help struct { Name, Class string; Title texts.Text }
		const kept texts.Text = "Kept"
		var (
			_ = texts.T("A" + " b")
			list = []help{{"name", "plain small", "A title"}, {Title: "Another"}}
			_ = []texts.Pattern{"at %s"}
			names = map[texts.Text]texts.Text{"Key": "Value"}
			empty texts.Text
		)
		func Label(id string, text texts.Text) any { return text.String() }
		func (h help) draw() app.UI {
			return app.Div().Class("plain").Body(Label("id", "Passed"), texts.N(3, "%d day", "%d days"), texts.Bytes(3), fmt.Sprint("not this"),
				texts.F("%s of %d", texts.T("Within"), 3), texts.Errorf("%q failed", h.Name), texts.F(kept))
		}`)
	write("app/state/a_test.go", in+`var test = texts.T("in a test")`)
	write("app/ui/a.go", `package ui; import ("github.com/imprompt/imprompt/app/state"; "github.com/imprompt/imprompt/app/texts"); var _ = state.Label("", "Within another package")`)
	found, err := find(dir, inGo, inScripts, inCatalogue)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"%d days", "%q failed", "%s kB", "%s of %d", "A & B", "A b", "A title", "About it.", "Another", "It \"failed\": %s", "Kept", "Key", "Loading", "Passed", "Value", "Within", "Within another package", "at %s"}
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
	for _, want := range []string{`"%d days": its translation has the form "", not "other"`, `"%d von %s" has other verbs`, `"Kept": the translation is empty`, `"A & B": its translation has the form "other", not ""`} {
		if got := strings.Join(l.problems(found), "\n"); !strings.Contains(got, want) {
			t.Errorf("%s: %s is not found", got, want)
		}
	}
	if got, want := l.missing(found), []string{"%q failed", "%s kB", "A title", "About it.", "Another", "It \"failed\": %s", "Key", "Loading", "Passed", "Value", "Within", "Within another package", "at %s"}; !slices.Equal(got, want) {
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
		`texts.F("%d of %d", n)`:      "2 verbs for 1 arguments",
		`texts.F("%.1f", n)`:          "texts.Number",
		`texts.N(n, "one", "%d two")`: "different verbs",
		`texts.N(n, "%d", "%d days")`: "other forms",
	} {
		write("app/state/b.go", in+"var n = 3\nvar wrong = "+source+"\n")
		if _, err := find(dir, inGo); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", source, err, want)
		}
	}
}
