package nn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"sort"
	"strings"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/gpu/webapi"
)

// want is one tensor that a layer reads from the checkpoint.
type want struct {
	key    string
	others []string // older names of the tensor
	shape  []int
}

// layer is a leaf of a network. It names the tensors that it wants, and uploads them once
// they are known to fit.
type layer interface {
	wants(prefix string) []want
	upload(ctx context.Context, d *gpu.Device, params []gpu.Parameter) error
	release()
}

// visit calls fn for every layer below v, in the order of the struct's fields. A field's
// tag `weight:"name"` is its part of the key, a slice adds the index, a nil pointer is
// left out, an embedded struct's layers are the struct's own, and another field without the
// tag holds no weights.
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
			field := v.Type().Field(i)
			if tag, ok := field.Tag.Lookup("weight"); ok {
				visit(v.Field(i), join(prefix, tag), fn)
			} else if field.Anonymous {
				visit(v.Field(i), prefix, fn)
			}
		}
	default:
		panic("nn: " + prefix + " is a " + v.Kind().String() + ", not a layer")
	}
}

// tagMark stands before each tag in a prefix, after the dot. plain removes it.
const tagMark = '\x00'

func join(prefix, name string) string {
	if prefix != "" {
		prefix += "."
	}
	return prefix + string(tagMark) + name
}

func plain(prefix string) string { return strings.ReplaceAll(prefix, string(tagMark), "") }

// keys spells out a prefix whose tag names several layers: "a.to_q,to_k" is a.to_q and
// a.to_k, and "a.to_q|query" is one layer under either of two names.
func keys(prefix string) [][]string {
	base, tag := prefix[:tagAt(prefix)], prefix[tagAt(prefix):]
	var out [][]string
	for _, one := range strings.Split(tag, ",") {
		var names []string
		for _, n := range strings.Split(one, "|") {
			names = append(names, plain(base+n))
		}
		out = append(out, names)
	}
	return out
}

// tagAt is where the last field's tag begins. visit marks it, because a tag may hold dots
// of its own ("to_out.0|proj_attn").
func tagAt(prefix string) int { return strings.LastIndexByte(prefix, tagMark) + 1 }

// wantOf is a part, weight or bias, of a layer. A name that ends in an underscore has no dot before the
// part, as torch names MultiheadAttention's in_proj_weight.
func wantOf(names []string, part string, shape ...int) want {
	w := want{shape: shape}
	for i, n := range names {
		if !strings.HasSuffix(n, "_") {
			n += "."
		}
		if i == 0 {
			w.key = n + part
		} else {
			w.others = append(w.others, n+part)
		}
	}
	return w
}

// FitError lists everything that a network asks for and a checkpoint does not have.
type FitError struct {
	Network    string
	Missing    []string
	Unused     []string // what the checkpoint has instead, perhaps under another name
	Mismatched []string // "key: the file has [..], the configuration asks for [..]"
}

func (e *FitError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the weights do not fit the %s's configuration", e.Network)
	for _, part := range []struct {
		what string
		keys []string
	}{{"missing", e.Missing}, {"not used", e.Unused}, {"of another shape or type", e.Mismatched}} {
		if len(part.keys) > 0 {
			fmt.Fprintf(&b, "\n%d %s:\n  %s", len(part.keys), part.what, strings.Join(part.keys, "\n  "))
		}
	}
	return b.String()
}

// Network is what is loaded and unloaded as a whole: a network, or one half of the VAE.
// It is a pointer to a struct whose tagged fields are its layers. A network whose published
// files hold keys that it does not read is also an Ignorer.
type Network interface {
	// Name is what messages call the network: "UNet", "text encoder".
	Name() string
}

// Ignorer is a Network that says which keys of a checkpoint it leaves alone, such as
// position_ids. Memory.Unused is told of all others that no layer asks for.
type Ignorer interface {
	Network
	Ignores(key string) bool
}

// task is a layer and the tensors that it is loaded from.
type task struct {
	layer  layer
	keys   []string // the names that the network has for the tensors
	params []gpu.Parameter
}

// Load uploads a network's weights from a checkpoint. It compares all keys, shapes and
// types first, and returns a FitError that lists everything that is missing or does not
// fit. Keys that no layer asks for are left alone, as diffusers leaves them. as is the type
// that matrices get on the GPU. progress may be nil; it is called with the bytes of the
// checkpoint that have been uploaded.
func Load(ctx context.Context, d *gpu.Device, n Network, c Checkpoint, as gpu.WeightDType, progress func(done, total int64)) error {
	tasks, _, _, err := match(n, c, as, nil)
	if err != nil {
		return err
	}
	transform(d, tasks, as)
	return load(ctx, d, n, tasks, progress)
}

// load uploads all layers of a network.
func load(ctx context.Context, d *gpu.Device, n Network, tasks []task, progress func(done, total int64)) error {
	var total int64
	for _, t := range tasks {
		total += t.bytes()
	}
	if err := upload(ctx, d, n.Name(), tasks, total, progress); err != nil {
		Unload(n)
		return fmt.Errorf("loading the %s: %w", n.Name(), err)
	}
	return nil
}

// match finds every layer's tensors and the keys that are not used, or returns a FitError.
func match(n Network, c Checkpoint, as gpu.WeightDType, changes Changes) (tasks []task, total int64, unused []string, err error) {
	fit := &FitError{Network: n.Name()}
	used := map[string]bool{}
	types := map[string][]string{} // of numbers that are not read: the keys
	visit(reflect.ValueOf(n), "", func(prefix string, l layer) {
		t := task{layer: l}
		for _, w := range l.wants(prefix) {
			name, dtype, shape, ok := find(c, w)
			if !ok {
				fit.Missing = append(fit.Missing, w.key)
				continue
			}
			used[name] = true
			p := gpu.Parameter{Name: name, DType: dtype, Shape: shape, As: as, Changes: changes[w.key], Read: func(ctx context.Context, off, n int64) (webapi.Bytes, error) {
				return c.Read(ctx, name, off, n)
			}}
			p.File, p.At = locate(c, name)
			switch {
			case !sameShape(shape, w.shape):
				fit.Mismatched = append(fit.Mismatched, fmt.Sprintf("%s: the file has %v, the configuration asks for %v", name, shape, w.shape))
			case p.ElementBytes() == 0:
				types[dtype] = append(types[dtype], name)
			}
			t.keys = append(t.keys, w.key)
			t.params = append(t.params, p)
		}
		tasks = append(tasks, t)
		total += t.bytes()
	})
	for _, dtype := range slices.Sorted(maps.Keys(types)) {
		list := types[dtype]
		fit.Mismatched = append(fit.Mismatched, fmt.Sprintf("%d tensors have numbers of the type %s, such as %s: F16, F32, BF16, F8_E4M3 and F8_E5M2 are read", len(list), dtype, list[0]))
	}
	ignorer, _ := n.(Ignorer)
	for _, name := range c.Names() {
		_, shape, _ := c.Info(name)
		empty := slices.Contains(shape, 0)
		if !used[name] && !empty && (ignorer == nil || !ignorer.Ignores(name)) {
			unused = append(unused, name)
		}
	}
	if len(fit.Missing)+len(fit.Mismatched) > 0 {
		sort.Strings(fit.Missing)
		fit.Unused = unused
		return nil, 0, nil, fit
	}
	return tasks, total, unused, nil
}

// uploadBatch is how many bytes are uploaded before the GPU is asked whether it had room
// for them. Its answer is waited for when the next batch is on its way.
const uploadBatch = 64 << 20

func upload(ctx context.Context, d *gpu.Device, network string, tasks []task, total int64, progress func(done, total int64)) error {
	defer d.Uploading()()
	ahead := gpu.NewAhead(ctx)
	defer ahead.Close()
	inFileOrder(tasks)
	for i, t := range tasks {
		for j := range t.params {
			ahead.Add(&t.params[j], i)
		}
	}
	var done int64
	refused := func(context.Context) error { return nil } // what the GPU answers to the batch before
	for len(tasks) > 0 {
		var failed error
		next := d.Allocate(network, func() {
			for limit := done + uploadBatch; len(tasks) > 0 && done < limit; tasks = tasks[1:] {
				if failed = ctx.Err(); failed != nil {
					return
				}
				if failed = tasks[0].layer.upload(ctx, d, tasks[0].params); failed != nil {
					return
				}
				done += tasks[0].bytes()
				if progress != nil {
					progress(done, total)
				}
			}
		})
		if err := refused(ctx); err != nil {
			return err
		}
		if failed != nil {
			// A refused buffer causes other errors, so the refusal is the one to report.
			return cmp.Or(next(ctx), failed)
		}
		refused = next
	}
	if err := refused(ctx); err != nil {
		return err
	}
	return d.Check()
}

// inFileOrder sorts tasks by where the tensors of each begin in their file, which is read fastest from its
// beginning to its end. Tasks of other files, and those whose places are not known, keep their order.
func inFileOrder(tasks []task) {
	place := func(t task) (file gpu.File, at int64) {
		at = math.MaxInt64
		for _, p := range t.params {
			if p.File != nil {
				file, at = p.File, min(at, p.At)
			}
		}
		return file, at
	}
	files := map[gpu.File]int{}
	for _, t := range tasks {
		if file, _ := place(t); files[file] == 0 {
			files[file] = len(files) + 1
		}
	}
	slices.SortStableFunc(tasks, func(a, b task) int {
		fileA, atA := place(a)
		fileB, atB := place(b)
		return cmp.Or(cmp.Compare(files[fileA], files[fileB]), cmp.Compare(atA, atB))
	})
}

// bytes is the size in the checkpoint.
func (t task) bytes() (sum int64) {
	for _, p := range t.params {
		sum += int64(p.Count() * p.ElementBytes())
	}
	return sum
}

// Unload frees a network's GPU memory. The network can be loaded again.
func Unload(n Network) {
	visit(reflect.ValueOf(n), "", func(_ string, l layer) { l.release() })
}

func find(c Checkpoint, w want) (name, dtype string, shape []int, ok bool) {
	for _, name := range append([]string{w.key}, w.others...) {
		if dtype, shape, ok := c.Info(name); ok {
			return name, dtype, shape, true
		}
	}
	return "", "", nil, false
}

// sameShape compares two shapes without the trailing ones of a 1 × 1 convolution, since a
// linear projection is stored either way.
func sameShape(have, want []int) bool {
	trim := func(s []int) []int {
		for len(s) > 2 && s[len(s)-1] == 1 {
			s = s[:len(s)-1]
		}
		return s
	}
	have, want = trim(have), trim(want)
	return slices.Equal(have, want)
}

// errNotLoaded is reported when a layer is recorded before its weights are loaded.
var errNotLoaded = errors.New("the network has no weights loaded")
