package state

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/imprompt/imprompt/app/texts"
)

// Every error that the page translates is one that the program makes: a text that is changed there has to be changed in
// errors.go, too.
func TestErrorsAreInTheSource(t *testing.T) {
	verb := regexp.MustCompile(`%[-+# 0-9.]*[a-zA-Z]`)
	literals := func(file string) (list []string) {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if _, ok := n.(*ast.ImportSpec); ok {
				return false
			}
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				if text, err := strconv.Unquote(l.Value); err == nil {
					list = append(list, verb.ReplaceAllString(text, "%s"))
				}
			}
			return true
		})
		return list
	}
	made := map[string]bool{}
	for _, folder := range []string{"gpu", "loader", "model", "app/engine", "app/worker"} {
		err := filepath.WalkDir(filepath.Join("../..", folder), func(path string, _ fs.DirEntry, err error) error {
			if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				for _, text := range literals(path) {
					made[text] = true
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	made["%s: %s"] = true // an error within another one
	list := literals("errors.go")
	if len(list) < 40 {
		t.Errorf("errors.go has only %d texts", len(list))
	}
	for _, text := range list {
		if !made[text] {
			t.Errorf("nobody says %q", text)
		}
	}
}

// What is filled into an error is translated in its turn, and errors within errors are.
func TestErrorsAreTranslated(t *testing.T) {
	b, err := os.ReadFile("../../web/languages/de.json")
	german := texts.Language{Code: "de", Number: texts.English.Number, Plural: texts.English.Plural}
	if err == nil {
		err = json.Unmarshal(b, &german.Texts)
	}
	if err != nil {
		t.Fatal(err)
	}
	texts.Use(german)
	defer texts.Use(texts.English)
	for english, want := range map[string]string{
		"model big.safetensors: this is a LoRA for Stable Diffusion XL: choose one for Stable Diffusion 1.5": "Modell big.safetensors: das ist eine LoRA für Stable Diffusion XL: Wähle eine für Stable Diffusion 1.5",
		"https://a.org/b: the file is cut off: its header takes 8 bytes and the file has 5":                  "https://a.org/b: die Datei ist abgeschnitten: Ihr Kopf braucht 8 Byte, und die Datei hat 5",
		"a.org sends nothing any more: go on later. What is stored stays":                                    "a.org sendet nichts mehr: Mach später weiter. Was gespeichert ist, bleibt",
		"The kernel conv=early is not used on this GPU: its numbers differ by 0.5 from the first variant's.": "Der Kernel conv=early wird auf dieser GPU nicht verwendet: seine Zahlen weichen um 0.5 von denen der ersten Variante ab.",
	} {
		if got := texts.Translate(english); got != want {
			t.Errorf("%q is %q, and should be %q", english, got, want)
		}
	}
}
