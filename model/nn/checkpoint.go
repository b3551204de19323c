package nn

import (
	"context"
	"strings"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/gpu/webapi"
)

// Checkpoint gives the tensors of one network by their diffusers key names. Package
// loader's checkpoints have this form.
type Checkpoint interface {
	Names() []string
	// Info returns a tensor's type, as safetensors names it, and its shape.
	Info(name string) (dtype string, shape []int, ok bool)
	// Read returns n bytes from offset off of a tensor's data.
	Read(ctx context.Context, name string, off, n int64) (webapi.Bytes, error)
}

// Located is a Checkpoint that knows where its tensors are. Locate returns the file that has a tensor's data from the
// offset at on, or nil if Read has to make the data from what the file has.
type Located interface {
	Locate(name string) (file gpu.File, at int64)
}

// locate asks a checkpoint that may know.
func locate(c Checkpoint, name string) (file gpu.File, at int64) {
	switch c := c.(type) {
	case Located:
		return c.Locate(name)
	case part:
		return locate(c.Checkpoint, name)
	case below:
		return locate(c.Checkpoint, c.prefix+name)
	}
	return nil, 0
}

// PartOf is the part of a checkpoint whose names have one of the prefixes.
func PartOf(c Checkpoint, prefixes ...string) Checkpoint { return part{c, prefixes} }

type part struct {
	Checkpoint
	prefixes []string
}

func (p part) Names() []string {
	var names []string
	for _, n := range p.Checkpoint.Names() {
		for _, prefix := range p.prefixes {
			if strings.HasPrefix(n, prefix) {
				names = append(names, n)
			}
		}
	}
	return names
}

// Below is the part of a checkpoint whose names begin with a prefix, under names without
// that prefix.
func Below(c Checkpoint, prefix string) Checkpoint { return below{c, prefix} }

type below struct {
	Checkpoint
	prefix string
}

func (b below) Names() []string {
	var names []string
	for _, n := range b.Checkpoint.Names() {
		if rest, ok := strings.CutPrefix(n, b.prefix); ok {
			names = append(names, rest)
		}
	}
	return names
}

func (b below) Info(name string) (string, []int, bool) { return b.Checkpoint.Info(b.prefix + name) }

func (b below) Read(ctx context.Context, name string, off, n int64) (webapi.Bytes, error) {
	return b.Checkpoint.Read(ctx, b.prefix+name, off, n)
}
