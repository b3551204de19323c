// Package model holds the networks of Stable Diffusion 1.5 and of the IP-Adapter as
// Go structs whose fields carry the checkpoint's own key names, and the pipelines
// that run them.
package model

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sort"
	"strings"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/gpu/webapi"
)

// Checkpoint gives the tensors of one network by their diffusers key names. Package
// loader's checkpoints are of this form.
type Checkpoint interface {
	Names() []string
	// Info is a tensor's type in safetensors' words and its shape.
	Info(name string) (dtype string, shape []int, ok bool)
	// Read returns n bytes from offset off of a tensor's data.
	Read(ctx context.Context, name string, off, n int64) (webapi.Bytes, error)
}

// want is one tensor that a layer takes from the checkpoint.
type want struct {
	key      string
	others   []string // older names of the same tensor
	shape    []int    // -1 where any size fits
	optional bool
}

// layer is a leaf of a network: it names the tensors that it wants and, once they
// were found to fit, puts them on the GPU.
type layer interface {
	wants(prefix string) []want
	upload(ctx context.Context, d *gpu.Device, params []gpu.Parameter) error
	release()
}

// visit calls fn for every layer below v, in the order of the struct's fields. A
// field's tag `weight:"name"` is its part of the key; slices add their index; nil
// pointers are left out; fields without the tag are not weights.
func visit(v reflect.Value, prefix string, fn func(prefix string, l layer)) {
	if v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return
		}
		if l, ok := v.Interface().(layer); ok {
			fn(prefix, l)
			return
		}
		visit(v.Elem(), prefix, fn)
		return
	}
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			visit(v.Index(i), join(prefix, fmt.Sprint(i)), fn)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if tag, ok := v.Type().Field(i).Tag.Lookup("weight"); ok {
				visit(v.Field(i), join(prefix, tag), fn)
			}
		}
	default:
		panic("model: " + prefix + " is a " + v.Kind().String() + ", not a layer")
	}
}

// tagMark stands in a prefix before each tag, behind the dot; plain takes it out.
const tagMark = '\x00'

func join(prefix, name string) string {
	if prefix != "" {
		prefix += "."
	}
	return prefix + string(tagMark) + name
}

func plain(prefix string) string { return strings.ReplaceAll(prefix, string(tagMark), "") }

// FitError lists all that does not fit between a checkpoint and a network.
type FitError struct {
	Network             string
	Missing, Unexpected []string
	Mismatched          []string // "key: the file has [..], the configuration asks for [..]"
}

func (e *FitError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the weights do not fit the %s's configuration", e.Network)
	for _, part := range []struct {
		what string
		keys []string
	}{{"missing", e.Missing}, {"unexpected", e.Unexpected}, {"of another shape or type", e.Mismatched}} {
		if len(part.keys) > 0 {
			fmt.Fprintf(&b, "\n%d %s:\n  %s", len(part.keys), part.what, strings.Join(part.keys, "\n  "))
		}
	}
	return b.String()
}

// Network is what loads and leaves the GPU as a whole: a network, or a half of the VAE.
type Network interface{ part() networkPart }

// networkPart is what a Network is called, where its layers are, and which left-over keys of a
// checkpoint do not count: buffers such as position_ids.
type networkPart struct {
	name   string
	root   any
	ignore func(key string) bool
}

// task is a layer and the tensors that it is made from.
type task struct {
	layer  layer
	params []gpu.Parameter
}

// load fills a network from a checkpoint: first everything is compared, then everything
// is uploaded. progress, which may be nil, is called with the bytes so far.
func load(ctx context.Context, d *gpu.Device, n Network, c Checkpoint, progress func(done, total int64)) error {
	tasks, total, err := match(n.part(), c)
	if err != nil {
		return err
	}
	if err := upload(ctx, d, n.part().name, tasks, total, progress); err != nil {
		unload(n)
		return fmt.Errorf("loading the %s: %w", n.part().name, err)
	}
	return nil
}

// match finds every layer's tensors, or reports all that does not fit.
func match(n networkPart, c Checkpoint) (tasks []task, total int64, err error) {
	fit := &FitError{Network: n.name}
	used := map[string]bool{}
	visit(reflect.ValueOf(n.root), "", func(prefix string, l layer) {
		t := task{layer: l}
		for _, w := range l.wants(prefix) {
			name, dtype, shape, ok := find(c, w)
			if !ok {
				if !w.optional {
					fit.Missing = append(fit.Missing, w.key)
				}
				t.params = append(t.params, gpu.Parameter{Name: w.key})
				continue
			}
			used[name] = true
			p := gpu.Parameter{Name: name, DType: dtype, Shape: shape, Read: func(ctx context.Context, off, n int64) (webapi.Bytes, error) {
				return c.Read(ctx, name, off, n)
			}}
			switch {
			case !sameShape(shape, w.shape):
				fit.Mismatched = append(fit.Mismatched, fmt.Sprintf("%s: the file has %v, the configuration asks for %s", name, shape, shapeText(w.shape)))
			case p.ElementBytes() == 0:
				fit.Mismatched = append(fit.Mismatched, fmt.Sprintf("%s: type %s; F16, F32 and BF16 are supported", name, dtype))
			}
			t.params = append(t.params, p)
		}
		tasks = append(tasks, t)
		total += t.bytes()
	})
	for _, name := range c.Names() {
		if !used[name] && !n.ignore(name) {
			fit.Unexpected = append(fit.Unexpected, name)
		}
	}
	if len(fit.Missing)+len(fit.Unexpected)+len(fit.Mismatched) > 0 {
		sort.Strings(fit.Missing)
		sort.Strings(fit.Unexpected)
		return nil, 0, fit
	}
	return tasks, total, nil
}

// uploadBatch is how many bytes are uploaded before the GPU is asked whether it took
// them: asking costs a wait.
const uploadBatch = 64 << 20

func upload(ctx context.Context, d *gpu.Device, network string, tasks []task, total int64, progress func(done, total int64)) error {
	var done int64
	for len(tasks) > 0 {
		err := d.Allocate(ctx, network, func() error {
			for limit := done + uploadBatch; len(tasks) > 0 && done < limit; tasks = tasks[1:] {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := tasks[0].layer.upload(ctx, d, tasks[0].params); err != nil {
					return err
				}
				done += tasks[0].bytes()
				if progress != nil {
					progress(done, total)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return d.Check()
}

// bytes are those in the checkpoint.
func (t task) bytes() (sum int64) {
	for _, p := range t.params {
		if p.Shape != nil {
			sum += int64(p.Count() * p.ElementBytes())
		}
	}
	return sum
}

// unload frees a network's GPU memory; the network can be loaded again.
func unload(n Network) {
	visit(reflect.ValueOf(n.part().root), "", func(_ string, l layer) { l.release() })
}

// nothing is ignored.
func nothing(string) bool { return false }

func find(c Checkpoint, w want) (name, dtype string, shape []int, ok bool) {
	for _, name := range append([]string{w.key}, w.others...) {
		if dtype, shape, ok := c.Info(name); ok {
			return name, dtype, shape, true
		}
	}
	return "", "", nil, false
}

// sameShape compares, with trailing ones of a convolution kernel of 1 × 1 left out:
// a linear projection is stored either way.
func sameShape(have, want []int) bool {
	trim := func(s []int) []int {
		for len(s) > 2 && s[len(s)-1] == 1 {
			s = s[:len(s)-1]
		}
		return s
	}
	have, want = trim(have), trim(want)
	if len(have) != len(want) {
		return false
	}
	for i := range have {
		if want[i] >= 0 && have[i] != want[i] {
			return false
		}
	}
	return true
}

func shapeText(shape []int) string {
	s := make([]string, len(shape))
	for i, n := range shape {
		s[i] = fmt.Sprint(n)
		if n < 0 {
			s[i] = "any"
		}
	}
	return "[" + strings.Join(s, " ") + "]"
}

// errNotLoaded guards against recording with a network whose weights are not there.
var errNotLoaded = errors.New("model: the network has no weights loaded")
