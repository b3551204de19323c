//go:build !js

package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
)

// Words that the page draws go through package texts: none is given to go-app as it is. A sentence that comes from
// package state goes through it as well.
func TestBare(t *testing.T) {
	for _, p := range []string{"app/ui", "app/state"} {
		for _, found := range bare(t, filepath.Join(root, p)) {
			t.Errorf("%s: write it as texts.T, texts.F or texts.N, or give the variable the type texts.Text", found)
		}
	}
}

// The test finds what it is to find.
func TestBareFound(t *testing.T) {
	const source = "package ui\nvar a = app.P().Class(\"plain small\").Text(\"Delete\").Title(texts.T(\"Fine\")).Aria(\"label\", \"Zoom in\").Aria(\"live\", \"polite\")\n" +
		"var b = state.Note{Text: fmt.Sprintf(\"The seed is %d.\", n)}\nvar c = errors.New(\"no picture is there yet\")\n"
	f, err := parser.ParseFile(token.NewFileSet(), "a.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := bareIn(f)
	slices.Sort(got)
	if want := []string{"Delete", "The seed is %d.", "Zoom in", "no picture is there yet"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func bare(t *testing.T, dir string) (list []string) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if ok, _ := filepath.Match("*_test.go", filepath.Base(name)); ok {
			continue
		}
		files := token.NewFileSet()
		f, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range bareIn(f) {
			list = append(list, fmt.Sprintf("%s has %q", name, text))
		}
	}
	return list
}

var (
	drawing  = []string{"Text", "Title", "Placeholder", "Alt"} // methods of go-app that take words
	spokenAs = []string{"label", "description", "valuetext"}   // attributes with words, after aria-
	making   = []string{"Sprintf", "Errorf", "New"}            // what makes a text from words
	wordy    = regexp.MustCompile(`^[^<]*\pL{2,} .*\pL{2,}`)   // two words or more
	word     = regexp.MustCompile(`\pL{2,}`)                   // one
	names    = []string{"Imprompt", "block place-%d"}          // what is called the same in every language, and a class
)

// bareIn finds words in a file that are drawn as they are.
func bareIn(f *ast.File) (list []string) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			s, ok := n.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			in, _ := s.X.(*ast.Ident)
			least := word
			args := n.Args
			switch {
			case in != nil && in.Name == "texts":
				return true
			case s.Sel.Name == "Aria" && len(args) == 2 && slices.Contains(spokenAs, literal(args[0])):
				args = args[1:]
			case slices.Contains(drawing, s.Sel.Name):
			case in != nil && (in.Name == "fmt" || in.Name == "errors") && slices.Contains(making, s.Sel.Name):
				least = wordy
			default:
				return true
			}
			for _, a := range args {
				if text := literal(a); least.MatchString(text) && !slices.Contains(names, text) {
					list = append(list, text)
				}
			}
		}
		return true
	})
	return list
}

// literal is the text of a string that is written in the source; "" for anything else.
func literal(e ast.Expr) string {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return ""
	}
	text, _ := strconv.Unquote(l.Value) // the parser has read it
	return text
}
