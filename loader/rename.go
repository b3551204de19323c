package loader

import (
	"context"
	"fmt"
	"sort"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// Weights are the tensors of one network under diffusers' names, wherever they lie.
type Weights interface {
	// Names lists the tensors, sorted.
	Names() []string
	// Info is a tensor's type, in safetensors' words, and shape.
	Info(name string) (dtype string, shape []int, ok bool)
	// Read returns n bytes from offset off of a tensor's data.
	Read(ctx context.Context, name string, off, n int64) (webapi.Bytes, error)
}

// renamed shows tensors of a checkpoint under other names, and matrices that were
// stored as 1×1 convolutions as the matrices they are: the bytes are the same.
type renamed struct {
	from    *Checkpoint
	entries map[string]alias
	names   []string
}

type alias struct {
	name  string // in the checkpoint
	shape []int
}

func newRenamed(from *Checkpoint) *renamed {
	return &renamed{from: from, entries: map[string]alias{}}
}

// add shows the checkpoint's tensor old as name; flat drops the axes of a 1×1 kernel.
func (r *renamed) add(name, old string, flat bool) error {
	if other, ok := r.entries[name]; ok {
		return fmt.Errorf("the tensors %q and %q are the same one of the network: the file is damaged", other.name, old)
	}
	_, shape, _ := r.from.Info(old)
	if flat && len(shape) > 2 {
		for _, s := range shape[2:] {
			if s != 1 {
				return fmt.Errorf("the tensor %q should be a 1×1 convolution and has the shape %v", old, shape)
			}
		}
		shape = shape[:2]
	}
	r.entries[name] = alias{old, shape}
	r.names = append(r.names, name)
	return nil
}

func (r *renamed) sort() *renamed {
	sort.Strings(r.names)
	return r
}

func (r *renamed) Names() []string { return r.names }

func (r *renamed) Info(name string) (dtype string, shape []int, ok bool) {
	a, ok := r.entries[name]
	if !ok {
		return "", nil, false
	}
	dtype, _, ok = r.from.Info(a.name)
	return dtype, a.shape, ok
}

func (r *renamed) Read(ctx context.Context, name string, off, n int64) (webapi.Bytes, error) {
	a, ok := r.entries[name]
	if !ok {
		return webapi.BytesOf(nil), fmt.Errorf("there is no tensor %q", name)
	}
	return r.from.Read(ctx, a.name, off, n)
}
