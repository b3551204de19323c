package nn

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
)

// Config reads a config.json field by field and collects what cannot be honoured, so that
// an unsupported field is an error that names it instead of a wrong picture.
type Config struct {
	file   string
	fields map[string]json.RawMessage
	errs   []string
	seen   map[string]bool
}

// ParseConfig begins to read a configuration; file is its name in error messages.
func ParseConfig(file string, data []byte) (*Config, error) {
	c := &Config{file: file, seen: map[string]bool{}}
	if err := json.Unmarshal(data, &c.fields); err != nil {
		return nil, fmt.Errorf("%s is not a JSON object: %w", file, err)
	}
	return c, nil
}

// Has reports whether a field is there and is not null.
func (c *Config) Has(name string) bool {
	v, ok := c.fields[name]
	return ok && string(v) != "null"
}

// Get reads a field, or returns missing where it is absent or null.
func Get[T any](c *Config, name string, missing T) T {
	c.seen[name] = true
	if !c.Has(name) {
		return missing
	}
	var v T
	if err := json.Unmarshal(c.fields[name], &v); err != nil {
		c.Fail("%s is %s, which is not a %T", name, c.fields[name], v)
		return missing
	}
	return v
}

// Each reads a field that is either one value for all of n blocks or a list of n values.
func Each[T any](c *Config, name string, n int, missing T) []T {
	c.seen[name] = true
	list := make([]T, n)
	for i := range list {
		list[i] = missing
	}
	if !c.Has(name) {
		return list
	}
	var many []T
	if json.Unmarshal(c.fields[name], &many) == nil {
		if len(many) != n {
			c.Fail("%s has %d entries for %d blocks", name, len(many), n)
			return list
		}
		return many
	}
	one := Get(c, name, missing)
	for i := range list {
		list[i] = one
	}
	return list
}

// Only refuses every value of a field but the given ones, written as in JSON. A field that
// is absent is never refused.
func (c *Config) Only(name string, allowed ...string) {
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
	c.Fail("%s is %s; supported: %s", name, v, strings.Join(allowed, ", "))
}

// Ignore names fields that change nothing when a picture is made, such as the dropout of
// training.
func (c *Config) Ignore(names ...string) {
	for _, n := range names {
		c.seen[n] = true
	}
}

// Fail adds an error to those that Done reports.
func (c *Config) Fail(format string, args ...any) {
	c.errs = append(c.errs, fmt.Sprintf(format, args...))
}

// Names lists the fields.
func (c *Config) Names() []string { return slices.Collect(maps.Keys(c.fields)) }

// Raw is a field's JSON, or nil where it is absent.
func (c *Config) Raw(name string) json.RawMessage { return c.fields[name] }

// Done reports everything that was refused, and every field that nothing has read.
func (c *Config) Done() error {
	for name := range c.fields {
		if !c.seen[name] && !strings.HasPrefix(name, "_") && c.Has(name) {
			c.errs = append(c.errs, fmt.Sprintf("%s is not supported", name))
		}
	}
	if len(c.errs) == 0 {
		return nil
	}
	sort.Strings(c.errs)
	return fmt.Errorf("%s: %s", c.file, strings.Join(c.errs, "; "))
}
