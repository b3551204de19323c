//go:build js && wasm

package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"syscall/js"

	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
)

// sliceSize is about how many bytes of a file make one Blob: large enough that requests
// cost nothing, small enough that two on their way, and the copies that hashing and
// storing make of one, stay below 300 MiB (tests/full/load.test.mjs: 254). Measured
// besides: Blobs of 64 MiB are read no faster (576 MiB, 2 MiB at a time: 290-340 MiB/s of
// either size); made of Blobs of 8 MiB, four requests at once, they come at 67 MiB/s
// instead of the 50 of another run, and the tab takes 476 MiB.
const sliceSize = 24 << 20

// Options are what a download may be told.
type Options struct {
	Keep      bool   // store F32 and BF16 as they are
	SHA256    string // of the source, hexadecimal; "" where it is not known. Implies Keep.
	SliceSize int64  // about the bytes of a Blob; 0 for 24 MiB
	Parallel  int    // requests at once; 0 for 2
	// Progress is told of the source's bytes that are here; waiting means that another
	// tab is downloading this file. It may be called often.
	Progress func(done, total int64, waiting bool)
}

// Download brings a file into the store, or what is missing of it after an
// interruption, and returns when it is stored whole. Two tabs never download a file
// twice: the second waits. Cancelling ctx pauses; finished slices stay.
func (s *Store) Download(ctx context.Context, address string, o Options) (Manifest, error) {
	if o.SliceSize <= 0 {
		o.SliceSize = sliceSize
	}
	if o.Parallel <= 0 {
		o.Parallel = 2
	}
	if o.Progress == nil {
		o.Progress = func(int64, int64, bool) {}
	}
	unlock, err := lock(ctx, "imprompt "+address, func() { o.Progress(0, 0, true) })
	if err != nil {
		return Manifest{}, err
	}
	defer unlock()
	if m, err := s.Manifest(ctx, address); !errors.Is(err, os.ErrNotExist) {
		return m, err
	}
	for restart := 0; ; restart++ {
		m, err := s.download(ctx, address, o)
		if !errors.Is(err, errChanged) || restart == 2 {
			if errors.Is(err, errChanged) {
				err = fmt.Errorf("%s: %w, again and again: try later", path.Base(address), err)
			}
			return m, err
		}
	}
}

func lock(ctx context.Context, name string, waiting func()) (func(), error) {
	release, err := webapi.Await(ctx, glue().Call("lock", name, false))
	if err == nil && release.IsNull() {
		waiting()
		// A wait that is given up must not keep the lock when it comes.
		promise := glue().Call("lock", name, true)
		release, err = webapi.Await(ctx, promise)
		if err != nil {
			go func() {
				if r, err := webapi.Await(context.Background(), promise); err == nil {
					r.Invoke()
				}
			}()
		}
	}
	if err != nil {
		return nil, err
	}
	return func() { release.Invoke() }, nil
}

func (s *Store) download(ctx context.Context, address string, o Options) (Manifest, error) {
	f, err := probe(ctx, address)
	if err != nil {
		return Manifest{}, err
	}
	in := &intake{remote: f}
	if !f.ranged {
		if err := in.open(ctx); err != nil {
			return Manifest{}, err
		}
		defer in.close()
	}
	etag := f.etag
	if etag == "" {
		etag = fmt.Sprintf("%d bytes", f.size)
	}
	return s.bring(ctx, address, etag, in, o)
}

// reader is where a file's bytes come from: a server, or a disk.
type reader interface {
	name() string // the file's own, for the visitor
	length() int64
	// take reads a few bytes into Go: a header.
	take(ctx context.Context, from, n int64) ([]byte, error)
	// read reads bytes [from, to) into a new Uint8Array.
	read(ctx context.Context, from, to int64, count func(n int64)) (js.Value, error)
}

// bring stores what is missing of a file, and commits it.
func (s *Store) bring(ctx context.Context, file, etag string, in reader, o Options) (Manifest, error) {
	p, head, err := makePlan(ctx, in, o)
	if err != nil {
		return Manifest{}, fmt.Errorf("%s: %w", in.name(), err)
	}
	if p.converted {
		etag += " f16" // other bytes than those of the source: not to be mixed with them
	}
	if err := s.drop(ctx, file, etag, false); err != nil {
		return Manifest{}, err
	}
	d := &run{store: s, file: file, etag: etag, in: in, options: o, pieces: map[int64]Piece{}}
	var missing []slice
	var need int64
	for _, x := range p.slices {
		piece, ok, err := d.have(ctx, x)
		switch {
		case err != nil:
			return Manifest{}, err
		case ok:
			d.pieces[x.at] = piece
			d.done += x.to - x.from
		default:
			missing = append(missing, x)
			need += x.size
		}
	}
	if used, granted, err := Usage(ctx); err == nil && granted-used < need {
		return Manifest{}, fmt.Errorf("%s needs %s and the browser has %s left for this page: %w", in.name(), loader.FormatBytes(need), loader.FormatBytes(max(0, granted-used)), ErrFull)
	}
	d.options.Progress(d.done, in.length(), false)
	if p.header != nil {
		if err := d.write(ctx, 0, 0, webapi.BytesOf(p.header)); err != nil {
			return Manifest{}, err
		}
	}
	if one, ok := in.(*intake); ok && !one.ranged {
		err = d.inOrder(ctx, one, missing, head)
	} else {
		err = d.parallel(ctx, missing)
	}
	if err != nil {
		return Manifest{}, err
	}
	return d.commit(ctx, p)
}

// makePlan reads a safetensors file's header. head is how far an unranged response was
// read for it, and the bytes so far.
func makePlan(ctx context.Context, in reader, o Options) (plan, []byte, error) {
	name, size := in.name(), in.length()
	if !strings.HasSuffix(strings.ToLower(name), ".safetensors") {
		return planBytes(size, o.SliceSize), nil, nil
	}
	first, err := in.take(ctx, 0, min(16, size))
	if err != nil {
		return plan{}, nil, err
	}
	if err := loader.CheckFile(name, first); err != nil {
		return plan{}, nil, err
	}
	n, err := loader.HeaderSize(first, size)
	if err != nil {
		return plan{}, nil, err
	}
	head := first
	if more := 8 + n - int64(len(first)); more > 0 {
		rest, err := in.take(ctx, int64(len(first)), more)
		if err != nil {
			return plan{}, nil, err
		}
		head = append(head, rest...)
	}
	tensors, err := loader.ParseHeader(head[8:8+n], size)
	if err != nil {
		return plan{}, nil, err
	}
	if o.Keep || o.SHA256 != "" {
		return planBytes(size, o.SliceSize), head, nil
	}
	p, err := planTensors(tensors, size, o.SliceSize)
	return p, head, err
}
