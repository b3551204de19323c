//go:build js && wasm

package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"runtime"
	"strings"
	"sync"
	"syscall/js"

	"github.com/hack-pad/go-indexeddb/idb"
	"github.com/imprompt/imprompt/gpu"
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
	release, err := gpu.Await(ctx, glue().Call("lock", name, false))
	if err == nil && release.IsNull() {
		waiting()
		// A wait that is given up must not keep the lock when it comes.
		promise := glue().Call("lock", name, true)
		release, err = gpu.Await(ctx, promise)
		if err != nil {
			go func() {
				if r, err := gpu.Await(context.Background(), promise); err == nil {
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
		return Manifest{}, fmt.Errorf("%s needs %s and the browser has %s left for this page: %w", in.name(), megabytes(need), megabytes(max(0, granted-used)), ErrFull)
	}
	d.options.Progress(d.done, in.length(), false)
	if p.header != nil {
		if err := d.write(ctx, 0, 0, gpu.BytesOf(p.header)); err != nil {
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

func megabytes(n int64) string {
	if n >= 1e9 {
		return fmt.Sprintf("%.2f GB", float64(n)/1e9)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
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

// intake reads a remote file: in ranges, or, of a server that has none, from one
// response in order.
type intake struct {
	*remote
	whole js.Value
	stop  func()
}

func (in *intake) open(ctx context.Context) error {
	s, stop := signal(ctx)
	in.stop = stop
	in.whole = glue().Call("download", in.url, 0, -1, s)
	r, err := gpu.Await(ctx, in.whole.Call("open"))
	if err != nil {
		return err
	}
	if err := judge(in.url, r); err != nil {
		return err
	}
	return in.check(r)
}

func (in *intake) name() string  { return path.Base(strings.SplitN(in.url, "?", 2)[0]) }
func (in *intake) length() int64 { return in.size }

func (in *intake) close() {
	in.whole.Call("close")
	in.stop()
}

// take reads a few bytes into Go: a header.
func (in *intake) take(ctx context.Context, from, n int64) ([]byte, error) {
	none := func(int64) {}
	if in.ranged {
		b, err := in.read(ctx, from, from+n, none)
		if err != nil {
			return nil, err
		}
		return gpu.GoBytes(b), nil
	}
	b := js.Global().Get("Uint8Array").New(n)
	if err := in.fill(ctx, b, 0, n, none); err != nil {
		return nil, err
	}
	return gpu.GoBytes(b), nil
}

// fill reads the single response's next bytes into buffer[at:n], or drops them.
func (in *intake) fill(ctx context.Context, buffer js.Value, at, n int64, count func(int64)) error {
	counter := js.FuncOf(func(_ js.Value, args []js.Value) any { count(int64(args[0].Int())); return nil })
	defer counter.Release()
	v, err := gpu.Await(context.WithoutCancel(ctx), in.whole.Call("fill", buffer, at, n, counter))
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case int64(v.Float()) < n:
		return fmt.Errorf("the connection broke off, and this server sends files only from their start: go on to try again; finished parts of %s stay but come over the network once more", path.Base(in.url))
	}
	return nil
}

// run is one download under way.
type run struct {
	store      *Store
	file, etag string
	in         reader
	options    Options
	mu         sync.Mutex
	done       int64
	pieces     map[int64]Piece
	storing    sync.Mutex // one slice at a time is turned, hashed and stored, for each takes copies
}

// have looks whether a slice is stored already.
func (d *run) have(ctx context.Context, x slice) (Piece, bool, error) {
	v, err := d.store.get(ctx, slices, sliceKey(d.file, d.etag, x.at))
	if err != nil || v.Type() != js.TypeObject || int64(v.Get("blob").Get("size").Float()) != x.size {
		return Piece{}, false, err
	}
	return Piece{x.at, x.size, v.Get("sha256").String()}, true, nil
}

// add counts source bytes.
func (d *run) add(n int64) {
	d.mu.Lock()
	d.done += n
	done := d.done
	d.mu.Unlock()
	d.options.Progress(done, d.in.length(), false)
}

// parallel fetches slices by several workers, the first first.
func (d *run) parallel(ctx context.Context, missing []slice) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan slice, len(missing))
	for _, x := range missing {
		queue <- x
	}
	close(queue)
	var wait sync.WaitGroup
	for range min(d.options.Parallel, len(missing)) {
		wait.Go(func() {
			for x := range queue {
				if ctx.Err() != nil {
					return
				}
				bytes, err := d.in.read(ctx, x.from, x.to, d.add)
				if err == nil {
					err = d.keep(ctx, x, bytes)
				}
				if err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	wait.Wait()
	return context.Cause(ctx)
}

// inOrder cuts the one response of a server without ranges. head was read from it.
func (d *run) inOrder(ctx context.Context, in *intake, missing []slice, head []byte) error {
	at := int64(len(head))
	for _, x := range missing {
		if x.from > at {
			if err := in.fill(ctx, js.Null(), 0, x.from-at, func(int64) {}); err != nil {
				return err
			}
			at = x.from
		}
		bytes := js.Global().Get("Uint8Array").New(x.to - x.from)
		had := int64(0)
		if x.from < at { // some of it was read for the header
			had = min(at, x.to) - x.from
			js.CopyBytesToJS(bytes, head[x.from:x.from+had])
			d.add(had)
		}
		if err := in.fill(ctx, bytes, had, x.to-x.from, d.add); err != nil {
			return err
		}
		at = max(at, x.to)
		if err := d.keep(ctx, x, bytes); err != nil {
			return err
		}
	}
	return nil
}

// keep converts a slice and stores it.
func (d *run) keep(ctx context.Context, x slice, bytes js.Value) error {
	d.storing.Lock()
	defer d.storing.Unlock()
	changes := false
	var list []any
	for _, g := range x.segments {
		changes = changes || g.kind != keep
		list = append(list, g.bytes, int(g.kind))
	}
	if changes {
		source := bytes
		bytes = glue().Call("convert", source, list, x.size)
		free(source)
	}
	return d.write(ctx, x.at, x.to-x.from, bytes)
}

// write stores a Blob beside its hash, in one transaction: a tab that dies leaves all
// of it or nothing. source is how many bytes of the source it stands for.
func (d *run) write(ctx context.Context, at, source int64, bytes js.Value) error {
	size := int64(bytes.Get("byteLength").Int())
	sum, err := hash(ctx, bytes)
	if err != nil {
		return err
	}
	blob := js.Global().Get("Blob").New([]any{bytes})
	free(bytes)
	err = d.store.change(ctx, []string{slices}, func(t *idb.Transaction) error {
		return put(t, slices, sliceKey(d.file, d.etag, at), js.ValueOf(map[string]any{"blob": blob, "sha256": sum, "source": source}))
	})
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.pieces[at] = Piece{at, size, sum}
	d.mu.Unlock()
	runtime.GC() // lets go of the Blob
	return nil
}

// free gives back the memory of bytes that are of no more use. Go holds what it got from
// JavaScript until it collects its own garbage, of which a download makes little: a
// file's slices would all stay.
func free(bytes js.Value) { glue().Call("free", bytes) }

// commit writes the manifest, by which the file is there.
func (d *run) commit(ctx context.Context, p plan) (Manifest, error) {
	m := Manifest{File: d.file, ETag: d.etag, Size: p.size, Source: d.in.length(), Converted: p.converted, SHA256: d.options.SHA256}
	if p.header != nil {
		m.Slices = append(m.Slices, d.pieces[0])
	}
	for _, x := range p.slices {
		m.Slices = append(m.Slices, d.pieces[x.at])
	}
	if m.SHA256 != "" {
		if err := d.store.verify(ctx, m, m.SHA256, func(int64, int64) {}); err != nil {
			// Wrong bytes must not be taken up by the next attempt.
			return m, errors.Join(err, d.store.Delete(ctx, d.file))
		}
	}
	text, err := json.Marshal(m)
	if err != nil {
		return m, err
	}
	return m, d.store.change(ctx, []string{manifests}, func(t *idb.Transaction) error {
		return put(t, manifests, js.ValueOf(d.file), js.ValueOf(string(text)))
	})
}
