//go:build !js

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/model/guides"
	"github.com/imprompt/imprompt/model/imageproc/maps"
)

// inCatalogue finds what web/catalogue.json says of the models. Their names stay as they are.
func inCatalogue(root string, found entries) error {
	b, err := os.ReadFile(filepath.Join(root, "web", "catalogue.json"))
	if err != nil {
		return err
	}
	var c loader.Catalogue
	if err := json.Unmarshal(b, &c); err != nil {
		return fmt.Errorf("web/catalogue.json: %w", err)
	}
	var list []string
	for _, b := range c.Bundles {
		list = append(list, b.Name, b.About)
	}
	for _, m := range c.Models {
		list = append(list, m.About)
	}
	return found.addAll("web/catalogue.json", list)
}

// inModels finds what the packages say that the page shows and that know nothing of it.
func inModels(_ string, found entries) error {
	var list []string
	for _, k := range loader.Kinds() {
		list = append(list, k.Name())
	}
	for _, l := range guides.LayerChoices() {
		list = append(list, l.Label, l.About)
	}
	for _, m := range maps.Methods {
		list = append(list, m.Label)
		for _, o := range m.Options {
			list = append(list, o.Label)
		}
	}
	return found.addAll("the packages of model and loader", list)
}

// addAll adds texts without verbs.
func (all entries) addAll(where string, list []string) error {
	for _, text := range list {
		if text == "" {
			continue
		}
		if err := all.add(entry{key: text, where: where}); err != nil {
			return err
		}
	}
	return nil
}
