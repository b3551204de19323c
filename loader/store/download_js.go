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

// sliceSize is about how many bytes of a file go into one Blob. It is large enough that the
// cost of a request does not matter, and small enough that two slices in flight, with the
// copies that hashing and storing make of one of them, stay below 300 MiB
// (tests/full/load.test.mjs measured 254). Larger Blobs are not read faster: of 576 MiB,
// 2 MiB at a time, Blobs of 24 and of 64 MiB give 290 to 340 MiB/s. Blobs of 8 MiB with four
// requests at once were stored at 67 MiB/s instead of 50, but the tab took 476 MiB.
const sliceSize = 24 << 20

// Options of a download.
type Options struct {
	Keep      bool   // store F32 and BF16 without conversion
	SHA256    string // of the source, in hexadecimal; "" if it is not known. Implies Keep.
	SliceSize int64  // approximate bytes per Blob; 0 is 24 MiB
	Parallel  int    // requests at once; 0 is 2
	// Progress receives the number of the source's bytes that are stored. waiting means
	// that another tab is downloading the same file. It may be called often.
	Progress func(done, total int64, waiting bool)
}

// Download brings a file into the store and returns when all of it is stored. After an
// interruption it fetches only what is missing. Two tabs never download the same file: the
// second one waits. Cancelling ctx pauses the download; finished slices stay stored.
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
				err = fmt.Errorf("%s: %w, three times: try again later", path.Base(address), err)
			}
			return m, err
		}
	}
}

func lock(ctx context.Context, name string, waiting func()) (func(), error) {
	release, err := webapi.Await(ctx, glue().Call("lock", name, false))
	if err == nil && release.IsNull() {
		waiting()
		// If this wait is given up, the lock has to be released when it arrives.
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

// reader reads the bytes of a file on a server or on a disk.
type reader interface {
	name() string // of the file, for messages
	length() int64
	// take reads a few bytes, such as a header, into Go's heap.
	take(ctx context.Context, from, n int64) ([]byte, error)
	// read reads bytes [from, to) into a new Uint8Array.
	read(ctx context.Context, from, to int64, count func(n int64)) (js.Value, error)
}

// bring stores the slices of a file that are missing, and commits the file.
func (s *Store) bring(ctx context.Context, file, etag string, in reader, o Options) (Manifest, error) {
	p, head, err := makePlan(ctx, in, o)
	if err != nil {
		return Manifest{}, fmt.Errorf("%s: %w", in.name(), err)
	}
	if p.converted {
		etag += " f16" // the bytes differ from the source's, and must not be mixed with them
	}
	if err := s.drop(ctx, file, etag, false); err != nil {
		return Manifest{}, err
	}
	d := &transfer{store: s, file: file, etag: etag, in: in, options: o, pieces: map[int64]Piece{}}
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

// makePlan plans how a file is stored. For a safetensors file it reads the header, and head is
// what it read: a server that sends only whole files does not send those bytes again.
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
