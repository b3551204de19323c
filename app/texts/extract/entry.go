//go:build !js

package main

import (
	"fmt"
	"regexp"
	"strconv"
)

// entry is a text that was found.
type entry struct {
	key     string
	one     string // the form for one, of a text that counts something
	format  bool   // it has verbs
	message bool   // it is found in what was made elsewhere
	where   string // a place where it is used
}

// entries are texts by their keys.
type entries map[string]entry

// add adds a text, which may be used in several places.
func (all entries) add(e entry) error {
	old, ok := all[e.key]
	switch {
	case !ok:
		all[e.key] = e
	case old.one != e.one:
		return fmt.Errorf("%s: %q has other forms than in %s", e.where, e.key, old.where)
	case old.format != e.format && len(verbs(e.key)) > 0:
		return fmt.Errorf("%s: %q has verbs here or in %s, but not in both places", e.where, e.key, old.where)
	case e.message:
		old.message = true
		all[e.key] = old
	}
	return nil
}

// english is how the text stands in en.json.
func (e entry) english() any {
	if e.one != "" {
		return map[string]any{"one": e.one, "other": e.key}
	}
	if e.message {
		return map[string]any{"message": e.key}
	}
	return e.key
}

var verb = regexp.MustCompile(`%(?:\[(\d+)\])?(.)`)

// verbs are the verbs of a text by the number of their argument, from 1.
func verbs(text string) map[int]string {
	list, at := map[int]string{}, 0
	for _, m := range verb.FindAllStringSubmatch(text, -1) {
		if m[2] == "%" {
			continue
		}
		at++
		if m[1] != "" {
			at, _ = strconv.Atoi(m[1]) // it has only digits
		}
		list[at] = m[2]
	}
	return list
}
