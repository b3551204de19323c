//go:build !js

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// language is the file of a language: a text, or the forms of a text that counts something, by the English text.
type language map[string]any

// folder is where the files of the languages are.
const folder = "web/languages"

// codes lists the languages that there are besides English.
func codes(root string) (list []string) {
	names, _ := filepath.Glob(filepath.Join(root, folder, "*.json")) // the pattern is well-formed
	for _, name := range names {
		if code := strings.TrimSuffix(filepath.Base(name), ".json"); code != "en" {
			list = append(list, code)
		}
	}
	return list
}

// read reads the file of a language. A file that is not there is a language without texts.
func read(root, code string) (language, error) {
	l, err := readFile(filepath.Join(root, folder, code+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		return language{}, nil
	}
	return l, err
}

func readFile(name string) (language, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	l := language{}
	if err := json.Unmarshal(b, &l); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return l, nil
}

// json writes the texts in the order of the English ones, a line each, so that two changes seldom meet in one place.
func (l language) json() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(map[string]any(l))
	return b.Bytes(), err
}

func (l language) write(root, code string) error {
	b, err := l.json()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, folder, code+".json"), b, 0o644)
}

// missing lists the texts that the language lacks.
func (l language) missing(found entries) (list []string) {
	for _, key := range slices.Sorted(maps.Keys(found)) {
		if _, ok := l[key]; !ok {
			list = append(list, key)
		}
	}
	return list
}

// unused lists the texts that nobody uses.
func (l language) unused(found entries) (list []string) {
	for _, key := range slices.Sorted(maps.Keys(l)) {
		if _, ok := found[key]; !ok {
			list = append(list, key)
		}
	}
	return list
}

func (l language) prune(found entries) {
	for _, key := range l.unused(found) {
		delete(l, key)
	}
}

// problems lists the translations that do not fit the English text: with other verbs, or without the forms of a count.
func (l language) problems(found entries) (list []string) {
	for _, key := range slices.Sorted(maps.Keys(l)) {
		e, ok := found[key]
		if !ok {
			continue
		}
		texts, form := []string{}, "other"
		switch v := l[key].(type) {
		case string:
			texts, form = []string{v}, ""
		case map[string]any:
			if _, ok := v["message"]; ok {
				form = "message"
			}
			for _, f := range slices.Sorted(maps.Keys(v)) {
				text, _ := v[f].(string)
				texts = append(texts, text)
			}
		}
		want := ""
		switch {
		case e.one != "":
			want = "other"
		case e.message:
			want = "message"
		}
		if form != want {
			list = append(list, fmt.Sprintf("%q: its translation has the form %q, not %q", key, form, want))
		}
		for _, text := range texts {
			if strings.TrimSpace(text) == "" {
				list = append(list, fmt.Sprintf("%q: the translation is empty", key))
			} else if e.format && !maps.Equal(verbs(text), verbs(key)) {
				list = append(list, fmt.Sprintf("%q: %q has other verbs", key, text))
			}
		}
	}
	return list
}
