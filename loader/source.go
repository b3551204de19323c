package loader

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"sort"

	"github.com/imprompt/imprompt/gpu"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader/pickle"
)

// Source is a file that can be read in ranges. Its Name is for error messages.
type Source interface {
	Name() string
	Size() int64
	// ReadRange returns bytes [off, off+n).
	ReadRange(ctx context.Context, off, n int64) (webapi.Bytes, error)
}

// Folder is the folder of a model in diffusers' layout.
type Folder interface {
	// Open opens the file at a path below the folder. The error is os.ErrNotExist where
	// there is no such file.
	Open(ctx context.Context, path string) (Source, error)
}

// ReadAll reads a small file, such as a configuration, into Go's heap.
func ReadAll(ctx context.Context, s Source) ([]byte, error) {
	if s.Size() > 64<<20 {
		return nil, fmt.Errorf("%s has %d bytes, too many for a configuration", s.Name(), s.Size())
	}
	b, err := s.ReadRange(ctx, 0, s.Size())
	if err != nil {
		return nil, err
	}
	return webapi.GoBytes(b), nil
}

// ReadFile reads a small file of a folder: a configuration, a vocabulary. A page that came
// in its place and numbers beyond any model's are errors.
func ReadFile(ctx context.Context, f Folder, path string) ([]byte, error) {
	s, err := f.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	b, err := ReadAll(ctx, s)
	if err != nil {
		return nil, err
	}
	return bytes.TrimPrefix(b, []byte("\ufeff")), CheckSettings(path, b)
}

// Checkpoint gives tensors by their names, wherever their bytes are: one or more files read
// as one, or the tensors of one network, under diffusers' names, out of a file with several.
// Numbers of 64 bits (F64) are given as F32, because no network needs more. Package model reads
// it through an interface of its own.
type Checkpoint struct {
	tensors  map[string]located
	names    []string          // sorted
	metadata map[string]string // those fields of the first file's that are in keptMetadata
}

// located is a tensor as its file describes it, and the file.
type located struct {
	Tensor
	source Source
}

// opened is a file of a checkpoint. Its address is what tells it from other files.
type opened struct{ Source }

// OpenCheckpoint opens files of weights as one checkpoint: safetensors, or pickles that torch wrote.
// The content of a file says which of them it is, and not its name. Only headers are read.
func OpenCheckpoint(ctx context.Context, sources ...Source) (*Checkpoint, error) {
	c := &Checkpoint{tensors: map[string]located{}}
	for _, s := range sources {
		s = &opened{s}
		list, metadata, err := openHeader(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name(), err)
		}
		if c.metadata == nil {
			c.metadata = metadata
		}
		for _, t := range list {
			if _, ok := c.tensors[t.Name]; ok {
				return nil, fmt.Errorf("%s: the tensor %q is also in another of the checkpoint's files", s.Name(), t.Name)
			}
			c.tensors[t.Name] = located{t, s}
			c.names = append(c.names, t.Name)
		}
	}
	sort.Strings(c.names)
	return c, nil
}

func openHeader(ctx context.Context, s Source) ([]Tensor, map[string]string, error) {
	if pickled, err := isPickled(ctx, s); err != nil {
		return nil, nil, err
	} else if pickled {
		return PickledTensors(func(at, n int64) io.Reader { return NewReader(ctx, s, at, n) }, s.Size())
	}
	n, err := readSize(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	return readHeader(NewReader(ctx, s, 8, n), n, s.Size())
}

// isPickled reports whether a file is a pickle, by its first bytes.
func isPickled(ctx context.Context, s Source) (bool, error) {
	first, err := s.ReadRange(ctx, 0, min(16, s.Size()))
	return err == nil && pickle.Is(webapi.GoBytes(first)), err
}

// readSize reads the size of a safetensors file's header, and says of what is no such
// file what it is.
func readSize(ctx context.Context, s Source) (int64, error) {
	first, err := s.ReadRange(ctx, 0, min(16, s.Size()))
	if err != nil {
		return 0, err
	}
	size, wrong := HeaderSize(webapi.GoBytes(first), s.Size())
	if wrong != nil {
		if first, err = s.ReadRange(ctx, 0, min(Sniffed, s.Size())); err != nil {
			return 0, err
		}
	}
	if err := CheckFile(s.Name(), webapi.GoBytes(first)); err != nil {
		return 0, err
	}
	return size, wrong
}

// NewReader reads n bytes of a source from an offset on, a window at a time.
func NewReader(ctx context.Context, s Source, at, n int64) io.Reader {
	return &window{ctx, s, at, at + n, nil}
}

// windowSize is how much of a source is asked for at once: a model's header whole, and of
// a monstrous one a small part.
const windowSize = 4 << 20

type window struct {
	ctx    context.Context
	source Source
	at, to int64
	rest   []byte
}

func (w *window) Read(b []byte) (int, error) {
	if len(w.rest) == 0 {
		n := min(windowSize, w.to-w.at)
		if n <= 0 {
			return 0, io.EOF
		}
		part, err := w.source.ReadRange(w.ctx, w.at, n)
		if err != nil {
			return 0, err
		}
		w.rest = webapi.GoBytes(part)
		w.at += n
	}
	n := copy(b, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}

// Names lists the tensors, sorted.
func (c *Checkpoint) Names() []string { return c.names }

// has reports whether the checkpoint has a tensor of that name.
func (c *Checkpoint) has(name string) bool {
	_, ok := c.tensors[name]
	return ok
}

// Info is a tensor's type, by safetensors' name ("F16", say), and its shape.
func (c *Checkpoint) Info(name string) (dtype string, shape []int, ok bool) {
	t, ok := c.tensors[name]
	if t.DType == "F64" {
		return "F32", t.Shape, ok
	}
	return t.DType, t.Shape, ok
}

// Read returns n bytes from offset off of a tensor's data. Of an F64 tensor, these are whole
// numbers of 4 bytes.
func (c *Checkpoint) Read(ctx context.Context, name string, off, n int64) (webapi.Bytes, error) {
	t, ok := c.tensors[name]
	each := int64(1) // bytes in the file for a byte that is given
	if t.DType == "F64" {
		each = 2
	}
	if size := t.bytes() / each; !ok || off < 0 || n < 0 || off > size || n > size-off {
		return webapi.BytesOf(nil), fmt.Errorf("bytes %d to %d of tensor %q do not exist", off, off+n, name)
	}
	b, err := t.read(ctx, each*off, each*n)
	if err == nil && each == 2 {
		b = webapi.Float32s(b)
	}
	return b, err
}

// Locate is where a tensor's data is, for those who read it ahead. It is nil for data that Read puts into
// order or converts, and for a file that is in memory.
func (c *Checkpoint) Locate(name string) (file gpu.File, at int64) {
	t := c.tensors[name]
	f, ok := t.source.(*opened)
	if !ok || t.Strides != nil || t.DType == "F64" {
		return nil, 0
	}
	if _, ok := f.Source.(*memory); ok {
		return nil, 0
	}
	return f, t.Begin
}

func (t located) read(ctx context.Context, off, n int64) (webapi.Bytes, error) {
	if t.Strides != nil {
		return t.gather(ctx, off, n)
	}
	return t.source.ReadRange(ctx, t.Begin+off, n)
}

// parameter is a tensor as package gpu reads it.
func (c *Checkpoint) parameter(name string) gpu.Parameter {
	dtype, shape, _ := c.Info(name)
	return gpu.Parameter{Name: name, DType: dtype, Shape: shape, Read: func(ctx context.Context, off, n int64) (webapi.Bytes, error) {
		return c.Read(ctx, name, off, n)
	}}
}

// renamed is a Checkpoint without tensors yet, for add.
func renamed() *Checkpoint { return &Checkpoint{tensors: map[string]located{}} }

// add takes a tensor over from another checkpoint under a new name. With matrix, a tensor
// that was stored as a 1×1 convolution becomes the matrix that it is; the bytes are the same.
// Names have to be sorted afterwards.
func (c *Checkpoint) add(name string, from *Checkpoint, old string, matrix bool) error {
	if other, ok := c.tensors[name]; ok {
		return fmt.Errorf("the tensors %q and %q are the same tensor of the network: the file is damaged", other.Name, old)
	}
	t := from.tensors[old]
	if matrix && len(t.Shape) > 2 {
		for _, s := range t.Shape[2:] {
			if s != 1 {
				return fmt.Errorf("the tensor %q should be a 1×1 convolution and has the shape %v", old, t.Shape)
			}
		}
		t.Shape = t.Shape[:2]
	}
	c.tensors[name] = t
	c.names = append(c.names, name)
	return nil
}

// underNames is a checkpoint under other names. A tensor whose new name is "" is left out.
func underNames(c *Checkpoint, name func(string) string) (*Checkpoint, error) {
	out := renamed()
	for _, old := range c.Names() {
		if to := name(old); to != "" {
			if err := out.add(to, c, old, false); err != nil {
				return nil, err
			}
		}
	}
	slices.Sort(out.names)
	return out, nil
}
