package model

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
)

// config reads a config.json field by field and collects what it cannot honour, so
// that an unsupported field is an error that names it rather than a picture that is
// wrong.
type config struct {
	file   string
	fields map[string]json.RawMessage
	errs   []string
	seen   map[string]bool
}

func parseConfig(file string, data []byte) (*config, error) {
	c := &config{file: file, seen: map[string]bool{}}
	if err := json.Unmarshal(data, &c.fields); err != nil {
		return nil, fmt.Errorf("%s is not a JSON object: %w", file, err)
	}
	return c, nil
}

func (c *config) has(name string) bool {
	v, ok := c.fields[name]
	return ok && string(v) != "null"
}

func get[T any](c *config, name string, missing T) T {
	c.seen[name] = true
	if !c.has(name) {
		return missing
	}
	var v T
	if err := json.Unmarshal(c.fields[name], &v); err != nil {
		c.fail("%s is %s, which is not a %T", name, c.fields[name], v)
		return missing
	}
	return v
}

// each reads a field that is one value for all of n blocks or a list of n.
func each[T any](c *config, name string, n int, missing T) []T {
	c.seen[name] = true
	list := make([]T, n)
	for i := range list {
		list[i] = missing
	}
	if !c.has(name) {
		return list
	}
	var many []T
	if json.Unmarshal(c.fields[name], &many) == nil {
		if len(many) != n {
			c.fail("%s has %d entries for %d blocks", name, len(many), n)
			return list
		}
		return many
	}
	one := get(c, name, missing)
	for i := range list {
		list[i] = one
	}
	return list
}

// only refuses every value of a field but those given ("null" for absent).
func (c *config) only(name string, allowed ...string) {
	c.seen[name] = true
	v, ok := c.fields[name]
	if !ok {
		return
	}
	for _, a := range allowed {
		if string(v) == a {
			return
		}
	}
	c.fail("%s is %s; supported: %s", name, v, strings.Join(allowed, ", "))
}

// ignored names fields that change nothing when a picture is made: training's
// dropout, versions.
func (c *config) ignored(names ...string) {
	for _, n := range names {
		c.seen[n] = true
	}
}

func (c *config) fail(format string, args ...any) {
	c.errs = append(c.errs, fmt.Sprintf(format, args...))
}

// done reports everything that was refused, and fields that nothing has read.
func (c *config) done() error {
	for name := range c.fields {
		if !c.seen[name] && !strings.HasPrefix(name, "_") && c.has(name) {
			c.errs = append(c.errs, fmt.Sprintf("%s is not supported", name))
		}
	}
	if len(c.errs) == 0 {
		return nil
	}
	sort.Strings(c.errs)
	return fmt.Errorf("%s: %s", c.file, strings.Join(c.errs, "; "))
}
