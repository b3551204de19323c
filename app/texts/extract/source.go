//go:build !js

package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// all finds the texts of the page, in the project whose root is given.
func all(root string) (entries, error) { return find(root, inGo, inScripts, inCatalogue, inModels) }

// find finds texts in several places.
func find(root string, places ...func(string, entries) error) (entries, error) {
	found := entries{}
	for _, in := range places {
		if err := in(root, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// module is the path of the project's packages.
const module = "github.com/imprompt/imprompt/"

// spoken are the packages whose texts the page shows.
var spoken = []string{"app/texts", "app/state", "app/ui"}

// inGo finds the constants that have the type texts.Text.
func inGo(root string, found entries) error {
	s := source{root: root, files: token.NewFileSet(), checked: map[string]*types.Package{}, found: found, err: new(error)}
	for _, p := range spoken {
		if _, err := s.Import(module + p); err != nil {
			return err
		}
	}
	return *s.err
}

// source checks packages of the project, of which it needs no more than the types that have to do with texts. So it does
// without the packages of others, and takes no notice of the errors that this causes.
type source struct {
	root    string
	files   *token.FileSet
	checked map[string]*types.Package
	found   entries
	err     *error // the first one
}

// Import is called for the packages that a package imports.
func (s source) Import(name string) (*types.Package, error) {
	if p := s.checked[name]; p != nil {
		return p, nil
	}
	dir, ours := strings.CutPrefix(name, module+"app/")
	if !ours {
		p := types.NewPackage(name, path.Base(name))
		p.MarkComplete()
		s.checked[name] = p
		return p, nil
	}
	parsed, err := s.parse(filepath.Join(s.root, "app", dir))
	if err != nil {
		return nil, err
	}
	info := types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	conf := types.Config{Importer: s, Error: func(error) {}, DisableUnusedImportCheck: true}
	p, _ := conf.Check(name, s.files, parsed, &info)
	s.checked[name] = p
	for _, f := range parsed {
		s.take(f, f.Name.Name, &info)
	}
	return p, nil
}

// parse parses the files of a package that the page is compiled from.
func (s source) parse(dir string) (list []*ast.File, err error) {
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		if n.IsDir() || !strings.HasSuffix(n.Name(), ".go") || strings.HasSuffix(n.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(s.files, filepath.Join(dir, n.Name()), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, nil
}

// take adds the texts of a part of a package.
func (s source) take(part ast.Node, in string, info *types.Info) {
	ast.Inspect(part, func(n ast.Node) bool {
		e, ok := n.(ast.Expr)
		if !ok {
			return true
		}
		if text, ok := textOf(info, e); ok {
			s.add(e, entry{key: text})
			return false
		}
		if text, ok := constantOf(info, e, "Pattern"); ok {
			s.add(e, entry{key: text, format: true, message: true})
			return false
		}
		if call, ok := e.(*ast.CallExpr); ok {
			switch function(in, call) {
			case "F", "Errorf":
				return s.call(call, 0, in, info)
			case "N":
				return s.call(call, 1, in, info)
			}
		}
		return true
	})
}

// call adds the text of a call that fills in its verbs. at is the place of the text among the arguments. It reports
// whether the call's parts are to be looked at: a text in a variable is found where it comes from.
func (s source) call(call *ast.CallExpr, at int, in string, info *types.Info) (further bool) {
	var text []string
	args := call.Args[at:]
	for range at + 1 {
		t, ok := textOf(info, args[0])
		if !ok {
			return true
		}
		text, args = append(text, t), args[1:]
	}
	e := entry{key: text[at], format: true}
	if at > 0 {
		e.one = text[0]
	}
	if err := e.check(len(args), call.Ellipsis != token.NoPos); err != nil {
		s.fail(call, err)
	}
	s.add(call, e)
	for _, a := range args {
		s.take(a, in, info)
	}
	return false
}

func (s source) add(at ast.Node, e entry) {
	if e.key == "" {
		return
	}
	e.where = s.files.Position(at.Pos()).String()
	if err := s.found.add(e); err != nil && *s.err == nil {
		*s.err = err
	}
}

func (s source) fail(at ast.Node, err error) {
	if *s.err == nil {
		*s.err = fmt.Errorf("%s: %w", s.files.Position(at.Pos()), err)
	}
}

// textOf is the value of a constant of the type texts.Text.
func textOf(info *types.Info, e ast.Expr) (text string, ok bool) { return constantOf(info, e, "Text") }

// constantOf is the value of a constant that has a type of package texts.
func constantOf(info *types.Info, e ast.Expr, kind string) (text string, ok bool) {
	t := info.Types[e]
	named, _ := t.Type.(*types.Named)
	if t.Value == nil || t.Value.Kind() != constant.String || named == nil {
		return "", false
	}
	o := named.Obj()
	return constant.StringVal(t.Value), o.Name() == kind && o.Pkg() != nil && o.Pkg().Path() == module+"app/texts"
}

// function is the name of the function of package texts that a package calls, or "".
func function(in string, call *ast.CallExpr) string {
	switch fun := call.Fun.(type) {
	case *ast.Ident:
		if in == "texts" {
			return fun.Name
		}
	case *ast.SelectorExpr:
		if of, ok := fun.X.(*ast.Ident); ok && of.Name == "texts" {
			return fun.Sel.Name
		}
	}
	return ""
}

// check compares a text with the number of arguments of its call.
func (e entry) check(args int, more bool) error {
	if e.one != "" {
		args++ // the count
		if len(verbs(e.one)) != len(verbs(e.key)) {
			return fmt.Errorf("%q and %q have different verbs", e.one, e.key)
		}
	}
	if n := len(verbs(e.key)); n != args && !more {
		return fmt.Errorf("%q has %d verbs for %d arguments", e.key, n, args)
	}
	for _, v := range verbs(e.key) {
		if !strings.Contains("dsqv", v) {
			return fmt.Errorf("%q has the verb %%%s: a number with a fraction is written by texts.Number, for %%s", e.key, v)
		}
	}
	return nil
}
