//go:build !js

package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
)

// all finds the texts of the page, in the project whose root is given.
func all(root string) (entries, error) {
	found := entries{}
	for _, f := range []func(string, entries) error{inGo, inScripts} {
		if err := f(root, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// inGo finds the texts that Go gives to package texts.
func inGo(root string, found entries) error {
	return eachFile(filepath.Join(root, "app"), func(files *token.FileSet, f *ast.File) (err error) {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if name := function(f, call); ok && name != "" && err == nil {
				err = take(found, name, call, files.Position(call.Pos()).String())
			}
			return err == nil
		})
		return err
	})
}

// eachFile parses the Go files in a folder, except for tests.
func eachFile(dir string, f func(*token.FileSet, *ast.File) error) error {
	return filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		files := token.NewFileSet()
		parsed, err := parser.ParseFile(files, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		return f(files, parsed)
	})
}

// function is the name of the function of package texts that is called, or "".
func function(f *ast.File, call *ast.CallExpr) string {
	if call == nil {
		return ""
	}
	if name, ok := call.Fun.(*ast.Ident); ok && f.Name.Name == "texts" && (name.Name == "T" || name.Name == "F") {
		return name.Name
	}
	if s, ok := call.Fun.(*ast.SelectorExpr); ok {
		if in, ok := s.X.(*ast.Ident); ok && in.Name == "texts" {
			return s.Sel.Name
		}
	}
	return ""
}

// take adds the text of a call.
func take(found entries, name string, call *ast.CallExpr, where string) error {
	var text []string // the arguments that are texts
	switch name {
	case "T", "F", "Of":
		text = make([]string, 1)
	case "N":
		text = make([]string, 2)
	default:
		return nil
	}
	args := call.Args
	if name == "N" {
		args = args[min(1, len(args)):]
	}
	for i := range text {
		var err error
		if len(args) <= i {
			return fmt.Errorf("%s: texts.%s needs a text", where, name)
		}
		if text[i], err = constant(args[i]); err != nil {
			if strings.Contains(where, filepath.Join("app", "texts")) {
				return nil // T within F
			}
			return fmt.Errorf("%s: texts.%s needs a text that is written there, because this program finds it there; texts.Translate is for others", where, name)
		}
	}
	e := entry{key: text[len(text)-1], format: name == "F" || name == "N", where: where}
	if name == "N" {
		e.one = text[0]
	}
	if err := e.check(call, len(args)-len(text)); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	return found.add(e)
}

// check compares a text with the arguments of its call.
func (e entry) check(call *ast.CallExpr, args int) error {
	if !e.format {
		return nil
	}
	if e.one != "" {
		args++ // the count
		if len(verbs(e.one)) != len(verbs(e.key)) {
			return fmt.Errorf("%q and %q have different verbs", e.one, e.key)
		}
	}
	if n := len(verbs(e.key)); n != args && call.Ellipsis == token.NoPos {
		return fmt.Errorf("%q has %d verbs for %d arguments", e.key, n, args)
	}
	for _, v := range verbs(e.key) {
		if !strings.Contains("dsqv", v) {
			return fmt.Errorf("%q has the verb %%%s: a number with a fraction is written by texts.Number, for %%s", e.key, v)
		}
	}
	return nil
}

// constant is a string that is written in the source, perhaps in several parts.
func constant(e ast.Expr) (string, error) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			return strconv.Unquote(e.Value)
		}
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			left, err := constant(e.X)
			if err != nil {
				return "", err
			}
			right, err := constant(e.Y)
			return left + right, err
		}
	}
	return "", fmt.Errorf("this is no string")
}
