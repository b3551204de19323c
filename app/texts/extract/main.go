//go:build !js

// Extract finds all texts of the page and writes them to web/languages/en.json. It removes what nobody uses any more
// from the other languages and says what they lack. Run it in the root of the project:
//
//	go run ./app/texts/extract               # after a text was added or changed
//	go run ./app/texts/extract -missing de   # what is to be translated, as JSON with the English texts
//	go run ./app/texts/extract -add new.json de   # puts translations in that form into the file of a language
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "extract:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	found, err := all(".")
	if err != nil {
		return err
	}
	switch {
	case len(args) == 2 && args[0] == "-missing":
		l, err := read(".", args[1])
		if err != nil {
			return err
		}
		lacking := language{}
		for _, key := range l.missing(found) {
			lacking[key] = found[key].english()
		}
		b, err := lacking.json()
		if err != nil {
			return err
		}
		_, err = os.Stdout.Write(b)
		return err
	case len(args) == 3 && args[0] == "-add":
		return add(found, args[1], args[2])
	case len(args) != 0:
		return fmt.Errorf("unknown arguments %q: see the comment at the head of app/texts/extract/main.go", args)
	}
	english := language{}
	for key, e := range found {
		english[key] = e.english()
	}
	if err := english.write(".", "en"); err != nil {
		return err
	}
	for _, code := range codes(".") {
		l, err := read(".", code)
		if err != nil {
			return err
		}
		l.prune(found)
		if err := l.write(".", code); err != nil {
			return err
		}
		if n := len(l.missing(found)); n > 0 {
			fmt.Printf("%s lacks %d of %d texts\n", code, n, len(found))
		}
	}
	return nil
}

// add puts translations from a file into a language.
func add(found entries, file, code string) error {
	more, err := readFile(file)
	if err != nil {
		return err
	}
	l, err := read(".", code)
	if err != nil {
		return err
	}
	for key, value := range more {
		l[key] = value
	}
	l.prune(found)
	for _, problem := range l.problems(found) {
		fmt.Println(problem)
	}
	return l.write(".", code)
}
