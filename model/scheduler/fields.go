package scheduler

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// fields reads a configuration and collects what is wrong with it.
type fields struct {
	raw   map[string]json.RawMessage
	wrong []string
}

// err is everything that was wrong, or nil.
func (f *fields) err() error {
	if len(f.wrong) == 0 {
		return nil
	}
	return errors.New("scheduler_config.json: " + strings.Join(f.wrong, "; "))
}

// refuse notes a field whose value cannot be run.
func (f *fields) refuse(name, why string) {
	value := string(f.raw[name])
	if value == "" {
		value = "not given"
	}
	f.wrong = append(f.wrong, fmt.Sprintf("%s is %s%s", name, value, why))
}

// decode reads a field into v. It returns false if the field is missing, null or of another type.
func (f *fields) decode(name string, v any, want string) bool {
	raw, ok := f.raw[name]
	if !ok || string(raw) == "null" {
		return false
	}
	if json.Unmarshal(raw, v) != nil {
		f.refuse(name, ": it has to be "+want)
		return false
	}
	return true
}

// bool reads a boolean; null is false, as in Python.
func (f *fields) bool(name string, missing bool) bool {
	v := missing
	if string(f.raw[name]) == "null" {
		return false
	}
	f.decode(name, &v, "true or false")
	return v
}

func (f *fields) float(name string, missing float64) float64 {
	v := missing
	if string(f.raw[name]) == `"-Infinity"` || string(f.raw[name]) == `"-inf"` {
		return math.Inf(-1)
	}
	f.decode(name, &v, "a number")
	return v
}

func (f *fields) int(name string, missing int) int {
	v := float64(missing)
	if f.decode(name, &v, "a whole number") && v != math.Trunc(v) {
		f.refuse(name, ": it has to be a whole number")
	}
	return int(v)
}

// choice reads one of several words; the first is the default.
func (f *fields) choice(name string, supported ...string) string {
	v := supported[0]
	if f.decode(name, &v, "a string") && !slices.Contains(supported, v) {
		f.refuse(name, "; supported: "+strings.Join(supported, ", "))
	}
	return v
}

// unsupported refuses fields that are set to anything other than false or null.
func (f *fields) unsupported(names ...string) {
	for _, n := range names {
		if raw := string(f.raw[n]); raw != "" && raw != "null" && raw != "false" {
			f.refuse(n, ", which is not supported")
		}
	}
}
