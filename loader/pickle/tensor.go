package pickle

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// What a dictionary may hold: as much as the header of a safetensors file (package loader).
const (
	maxTensors    = 100_000
	maxNames      = 16 << 20
	maxDimensions = 64
	maxDepth      = 16
	maxVisited    = 1_000_000
	maxCount      = 1 << 56 // numbers of a storage
)

// storage is a run of numbers, which one or more tensors read.
type storage struct {
	key   string
	dtype string
	from  int64 // for a part of another storage of that key: its first number
	count int64
}

func (s *storage) width() int64 { return widths[s.dtype] }
func (s *storage) bytes() int64 { return s.count * s.width() }

// tensor is a tensor before its place in the file is known.
type tensor struct {
	name    string
	storage *storage
	dtype   string
	offset  int64 // of the first number, in numbers
	shape   []int64
	strides []int64
}

func (t *tensor) count() int64 {
	n := int64(1)
	for _, s := range t.shape {
		n *= s
	}
	return n
}

// span is how many numbers of the storage lie from the first to the last.
func (t *tensor) span() int64 {
	n := int64(1)
	for i, s := range t.shape {
		n += (s - 1) * t.strides[i]
	}
	return n
}

// inOrder reports whether the numbers follow one another in the order of safetensors.
func (t *tensor) inOrder() bool {
	n := int64(1)
	for i := len(t.shape) - 1; i >= 0; i-- {
		if t.shape[i] != 1 && t.strides[i] != n {
			return false
		}
		n *= t.shape[i]
	}
	return true
}

// rebuildTensor makes a tensor from (storage, offset, size, stride, ...), and, in the third
// version, the type of its numbers at the place 6.
func rebuildTensor(args tuple) (any, error) {
	if len(args) < 4 {
		return nil, errDamaged
	}
	s, ok1 := args[0].(*storage)
	offset, ok2 := args[1].(int64)
	shape, ok3 := numbers(args[2])
	strides, ok4 := numbers(args[3])
	if !ok1 || !ok2 || !ok3 || !ok4 || len(shape) != len(strides) || offset < 0 {
		return nil, errDamaged
	}
	t := &tensor{storage: s, dtype: s.dtype, offset: offset, shape: shape, strides: strides}
	if len(args) > 6 {
		if g, ok := args[6].(global); ok && dtypes[g.name] != "" {
			t.dtype = dtypes[g.name]
		}
	}
	if !t.fits() {
		return nil, fmt.Errorf("a tensor of the shape %v is not within its storage of %d numbers, so the file is damaged: get it again", t.shape, t.storage.count)
	}
	return t, nil
}

// fits reports whether all numbers of the tensor are in its storage.
func (t *tensor) fits() bool {
	count := uint64(1)
	for _, s := range t.shape {
		high, low := bits.Mul64(count, uint64(s))
		if s > math.MaxInt32 || high != 0 || low > maxCount {
			return false
		}
		count = low
	}
	if count == 0 {
		return true
	}
	last := uint64(t.offset)
	for i, s := range t.shape {
		high, low := bits.Mul64(uint64(s-1), uint64(t.strides[i]))
		if high != 0 || low > maxCount {
			return false
		}
		if last += low; last > maxCount {
			return false
		}
	}
	high, low := bits.Mul64(last+1, uint64(widths[t.dtype]))
	return high == 0 && low <= uint64(t.storage.bytes())
}

// numbers returns the values of a tuple or a list if all are whole and none is negative.
func numbers(v any) ([]int64, bool) {
	items, ok := sequence(v)
	if !ok || len(items) > maxDimensions {
		return nil, false
	}
	var out []int64
	for _, item := range items {
		n, ok := item.(int64)
		if !ok || n < 0 {
			return nil, false
		}
		out = append(out, n)
	}
	return out, true
}

// wrappers are the keys under which programs keep the dictionary of tensors beside other things,
// such as the state of the training: the first of them that has tensors is read. Of two versions
// of the weights, the averaged one (EMA) is what such programs draw with.
var wrappers = []string{"state_dict", "model_state_dict", "params_ema", "params", "model", "module", "weights"}

// tensorsOf finds the tensors of a file's value, and the texts beside them.
func tensorsOf(root any) ([]*tensor, map[string]string, error) {
	w := &walk{seen: map[string]bool{}, texts: map[string]string{}}
	root = w.unwrap(root)
	d := asDict(root)
	if d == nil {
		if list := embeddings(root); list != nil {
			return list, nil, nil
		}
		if l, ok := root.(*list); ok && len(l.items) > 0 {
			if _, ok := l.items[0].(*tensor); ok {
				return nil, nil, errors.New("this file is a list of tensors without names, as early LoRAs were saved: convert it with the program that made it, or get the .safetensors")
			}
		}
		if _, ok := root.(*tensor); ok {
			return nil, nil, errors.New("this file is a single tensor without a name, so it is no file of weights: get the .safetensors of the model")
		}
		return nil, nil, errors.New("this file has no dictionary of tensors, so it is no file of weights: get the .safetensors of the model")
	}
	for i, k := range d.keys {
		if name, ok := k.(string); ok {
			if text, ok := d.values[i].(string); ok {
				w.texts[name] = text
			}
		}
	}
	if err := w.add("", d, 0); err != nil {
		return nil, nil, err
	}
	for _, t := range w.list {
		if !strings.HasPrefix(t.name, parallel) {
			return w.list, w.texts, nil
		}
	}
	for _, t := range w.list {
		t.name = strings.TrimPrefix(t.name, parallel)
	}
	return w.list, w.texts, nil
}

// embeddings returns the tensors of a file that is one tensor, or a list of tensors, as image
// embeddings are saved (.ipadpt). They have three dimensions or more, unlike the matrices of a
// LoRA. Each is named by its place in the list.
func embeddings(root any) (found []*tensor) {
	items := []any{root}
	if l, ok := root.(*list); ok {
		items = l.items
	}
	if len(items) > maxTensors {
		return nil
	}
	for i, item := range items {
		t, ok := item.(*tensor)
		if !ok || len(t.shape) < 3 {
			return nil
		}
		named := *t
		named.name = strconv.Itoa(i)
		found = append(found, &named)
	}
	return found
}

// parallel begins all names of a model that was trained on several cards (torch's DataParallel).
const parallel = "module."

// walk collects tensors.
type walk struct {
	list    []*tensor
	seen    map[string]bool
	texts   map[string]string
	names   int // bytes of the names and the prefixes
	visited int // values
}

// unwrap returns the dictionary with the tensors.
func (w *walk) unwrap(root any) any {
	for range maxDepth {
		d := asDict(root)
		if d == nil || hasTensor(d) {
			return root
		}
		var inner any
		for _, key := range wrappers {
			if v, _ := d.get(key); asDict(v) != nil && w.holdsTensors(asDict(v), 0) {
				inner = v
				break
			}
		}
		if inner == nil {
			return root
		}
		root = inner
	}
	return root
}

// hasTensor reports whether a tensor is directly in a dictionary. A tensor without dimensions does
// not count, because it may be the number of a training's steps.
func hasTensor(d *dict) bool {
	for _, v := range d.values {
		if t, ok := v.(*tensor); ok && len(t.shape) > 0 {
			return true
		}
	}
	return false
}

// holdsTensors reports whether a tensor is in a dictionary or in one within it.
func (w *walk) holdsTensors(d *dict, depth int) bool {
	for _, v := range d.values {
		if w.visited++; w.visited > maxVisited || depth > maxDepth {
			return false
		}
		if _, ok := v.(*tensor); ok {
			return true
		}
		if inner := asDict(v); inner != nil && w.holdsTensors(inner, depth+1) {
			return true
		}
	}
	return false
}

// add takes the tensors of a dictionary and of those within it. Lists and keys that are no texts
// belong to the state of a training.
func (w *walk) add(prefix string, d *dict, depth int) error {
	if depth > maxDepth {
		return errDamaged
	}
	for i, key := range d.keys {
		if w.visited++; w.visited > maxVisited {
			return errTooLarge
		}
		name, ok := key.(string)
		if !ok {
			continue
		}
		if inner := asDict(d.values[i]); inner != nil {
			// The prefix is a copy, of which dictionaries within dictionaries can ask for many.
			if w.names += len(prefix) + len(name); w.names > maxNames {
				return errTooLarge
			}
			if err := w.add(prefix+name+".", inner, depth+1); err != nil {
				return err
			}
			continue
		}
		t, ok := d.values[i].(*tensor)
		if !ok {
			continue
		}
		name = prefix + name
		if w.seen[name] {
			return fmt.Errorf("the file names the tensor %q twice, so it is damaged: get it again", name)
		}
		w.seen[name] = true
		if w.names += len(name); len(w.list) == maxTensors || w.names > maxNames {
			return errTooLarge
		}
		named := *t
		named.name = name
		w.list = append(w.list, &named)
	}
	return nil
}

// asDict returns a value's dictionary: itself, or that of an object which is a dictionary of
// parameters.
func asDict(v any) *dict {
	switch v := v.(type) {
	case *dict:
		return v
	case *object:
		state, _ := v.state.(*dict)
		if state == nil || !strings.HasPrefix(v.class.name, "Parameter") {
			return nil
		}
		if parameters, ok := state.get("_parameters"); ok {
			state, _ = parameters.(*dict)
		}
		return state
	}
	return nil
}
