//go:build !js

package main

import (
	"encoding/json"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var (
	said   = regexp.MustCompile(`\bt\(("(?:[^"\\]|\\.)*")`)     // t("a text" in a script
	body   = regexp.MustCompile(`(?s)<body>(.*)</body>`)        // of index.html
	silent = regexp.MustCompile(`(?s)<noscript>.*?</noscript>`) // it is not translated, for want of a script
	marked = regexp.MustCompile(`>([^<>]*\w[^<>]*)<`)           // a text between two tags
	called = regexp.MustCompile(`aria-label="([^"]+)"`)         // and one that is read out
	brand  = "Imprompt"
)

// inScripts finds the texts of web/index.html and of the JavaScript beside it.
func inScripts(root string, found entries) error {
	page, err := os.ReadFile(filepath.Join(root, "web", "index.html"))
	if err != nil {
		return err
	}
	content := silent.ReplaceAllString(body.FindString(string(page)), "")
	for _, pattern := range []*regexp.Regexp{marked, called} {
		for _, m := range pattern.FindAllStringSubmatch(content, -1) {
			if text := strings.TrimSpace(html.UnescapeString(m[1])); text != brand {
				if err := found.add(entry{key: text, where: "web/index.html"}); err != nil {
					return err
				}
			}
		}
	}
	names, _ := filepath.Glob(filepath.Join(root, "web", "js", "*.js")) // the pattern is well-formed
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, m := range said.FindAllStringSubmatch(string(b), -1) {
			var text string
			if err := json.Unmarshal([]byte(m[1]), &text); err != nil {
				return fmt.Errorf("%s: %s: %w", name, m[1], err)
			}
			if err := found.add(entry{key: text, format: true, where: name}); err != nil {
				return err
			}
		}
	}
	return nil
}
