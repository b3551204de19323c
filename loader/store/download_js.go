//go:build js && wasm

package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"syscall/js"

	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/pickle"
)

// sliceSize is about how many bytes of a file go into one Blob. It is large enough that the
// cost of a request does not matter, and small enough that two slices in flight, with the
// copies that hashing and storing make of one of them, stay below 300 MiB
// (tests/full/load.test.mjs measured 254). Larger Blobs are not read faster: of 576 MiB,
// 2 MiB at a time, Blobs of 24 and of 64 MiB give 290 to 340 MiB/s. Blobs of 8 MiB with four
// requests at once were stored at 67 MiB/s instead of 50, but the tab took 476 MiB.
const sliceSize = 24 << 20

// maxFile is more than any model of this family has.
const maxFile = 64 << 30

// Options of a download.
type Options struct {
	Keep      bool   // store a file as it is
	SHA256    string // of the source, hexadecimal; "" where it is not known. What comes must have it.
	Query     string // of the address that is fetched, where it is signed: the file is known by its address without it
	SliceSize int64  // about the bytes of a Blob; 0 for 24 MiB
	Parallel  int    // requests at once; 0 for 2
	// Progress is told of the source's bytes that are here; waiting means that another
	// tab is downloading this file. It may be called often.
	Progress func(done, total int64, waiting bool)
	// Note is told in words what is waited for, and "" when it goes on. Anew is called where
	// what was stored of another state of the file had to be given up.
	Note func(string)
	Anew func()

	header *sourceHash // takes the source's header as it is read; nil where nobody asks for it
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
	if o.Note == nil {
		o.Note = func(string) {}
	}
	if o.Anew == nil {
		o.Anew = func() {}
	}
	if public := loader.Public(address); public != address {
		_, o.Query, _ = strings.Cut(address, "?")
		address = public
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
		if !errors.Is(err, loader.ErrChanged) || restart == 2 {
			if errors.Is(err, loader.ErrChanged) {
				err = fmt.Errorf("%s: %w, three times: try again later", loader.NameOf(address), err)
			}
			return m, err
		}
		o.Anew()
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

func (s *Store) download(ctx context.Context, file string, o Options) (Manifest, error) {
	stored, err := s.partial(ctx, file)
	if err != nil {
		return Manifest{}, err
	}
	address := file
	if o.Query != "" {
		base, _, _ := strings.Cut(file, "?")
		address = base + "?" + o.Query
	}
	f, err := probe(ctx, address, len(stored) > 0, o.Note)
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
	tag := f.tag
	if tag.Text == "" {
		tag.Text = fmt.Sprintf("%d bytes", f.size)
	}
	// The hub's word is the strongest, and the same wherever it sends for the bytes.
	sum := f.sha256
	if sum == "" {
		sum = hubSHA256(ctx, file, f.size)
	}
	if sum != "" {
		tag = loader.Tag{Text: bySHA256 + sum, Strong: true}
		if o.SHA256 == "" {
			o.SHA256 = sum
		}
	}
	return s.bring(ctx, file, tag, in, o)
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

// bring stores what is missing of a file, and commits it. tag names the state that the
// file is in at its source.
func (s *Store) bring(ctx context.Context, file string, tag loader.Tag, in reader, o Options) (Manifest, error) {
	if err := s.fits(ctx, file, in); err != nil {
		return Manifest{}, err
	}
	if o.SHA256 != "" {
		h, err := newSourceHash(ctx, js.Null())
		if err != nil {
			return Manifest{}, err
		}
		o.header = h
	}
	p, head, err := makePlan(ctx, in, o)
	if err != nil {
		return Manifest{}, fmt.Errorf("%s: %w", in.name(), err)
	}
	d := &transfer{store: s, file: file, tag: tag, in: in, options: o, plan: p, pieces: map[int64]Piece{}}
	one, isRemote := in.(*intake)
	if isRemote {
		one.another = d.sameElsewhere
	}
	if err := d.adopt(ctx); err != nil {
		return Manifest{}, err
	}
	if err := s.drop(ctx, file, d.etag, false); err != nil {
		return Manifest{}, err
	}
	missing, need, err := d.missing(ctx)
	if err != nil {
		return Manifest{}, err
	}
	if err := room(ctx, in.name(), need); err != nil {
		return Manifest{}, err
	}
	d.options.Progress(d.done, in.length(), false)
	if p.header != nil {
		if err := d.write(ctx, 0, 0, webapi.BytesOf(p.header), js.Null()); err != nil {
			return Manifest{}, err
		}
	}
	if isRemote && !one.ranged {
		err = d.inOrder(ctx, one, missing, head)
	} else {
		err = d.parallel(ctx, missing)
	}
	if err == nil {
		err = d.checkEnds(ctx)
	}
	if err != nil {
		return Manifest{}, err
	}
	return d.commit(ctx)
}

// fits refuses a file before anything is planned for it that no model is as large as, or
// that the browser's space cannot hold in any form.
func (s *Store) fits(ctx context.Context, file string, in reader) error {
	if in.length() > maxFile {
		return fmt.Errorf("%s says that it has %s, which is more than any model that Imprompt reads: check the link", in.name(), loader.FormatBytes(in.length()))
	}
	stored, err := s.partial(ctx, file)
	if err != nil {
		return err
	}
	least := in.length()
	if !isPlain(in.name()) {
		least /= 2 // all of it may be F32
	}
	for _, list := range stored {
		for _, x := range list {
			least -= x.size
		}
	}
	return room(ctx, in.name(), least)
}

// room says whether the browser has space for so many bytes.
func room(ctx context.Context, name string, need int64) error {
	if used, granted, err := Usage(ctx); err == nil && granted-used < need {
		return fmt.Errorf("%s needs %s and the browser has %s left for this page: %w", name, loader.FormatBytes(need), loader.FormatBytes(max(0, granted-used)), ErrFull)
	}
	return nil
}

// isPlain says whether a file is stored as it is, by its name. Civitai's links have names
// without an ending.
func isPlain(name string) bool { return path.Ext(name) != "" && !loader.IsWeights(name) }

// makePlan reads the header of a file of weights. head is how far an unranged response was
// read for it: the bytes so far.
func makePlan(ctx context.Context, in reader, o Options) (p plan, head []byte, err error) {
	name, size := in.name(), in.length()
	if isPlain(name) {
		return planBytes(size, o.SliceSize), nil, nil
	}
	one, isRemote := in.(*intake)
	keepHead := isRemote && !one.ranged
	first, err := in.take(ctx, 0, min(loader.Sniffed, size))
	if err != nil {
		return plan{}, nil, err
	}
	if err := loader.CheckFile(name, first); err != nil {
		return plan{}, nil, err
	}
	if pickle.Is(first) {
		p, err := planOfPickle(ctx, in, o, keepHead)
		return p, first, err
	}
	n, err := loader.HeaderSize(first, size)
	if err != nil {
		return plan{}, nil, err
	}
	r := &headReader{ctx: ctx, in: in, rest: first[8:min(int64(len(first)), 8+n)], at: int64(len(first)), to: 8 + n, hash: o.header}
	r.hashed(first[:min(int64(len(first)), 8+n)])
	if keepHead {
		r.head = append(make([]byte, 0, max(8+n, int64(len(first)))), first...)
	}
	tensors, err := loader.ReadHeader(r, n, size)
	if err != nil {
		return plan{}, nil, err
	}
	// A LoRA is small, and what is lost when its numbers become F16 is multiplied.
	if o.Keep || loader.HoldsLoRA(tensors) {
		return planBytes(size, o.SliceSize), r.head, nil
	}
	p, err = planTensors(tensors, size, o.SliceSize)
	return p, r.head, err
}

// planOfPickle reads which tensors a pickle has. inOrder says that the server sends the file in order
// only. The directory at the end of the file comes too late then, and the file is stored as it is.
func planOfPickle(ctx context.Context, in reader, o Options, inOrder bool) (plan, error) {
	if inOrder {
		return planBytes(in.length(), o.SliceSize), nil
	}
	open := func(at, n int64) io.Reader { return &headReader{ctx: ctx, in: in, at: at, to: at + n} }
	tensors, _, err := loader.PickledTensors(open, in.length())
	if err != nil {
		return plan{}, err
	}
	if o.Keep || loader.HoldsLoRA(tensors) {
		return planBytes(in.length(), o.SliceSize), nil
	}
	return planPickle(tensors, in.length(), o.SliceSize)
}

// headReader reads a header a window at a time.
type headReader struct {
	ctx    context.Context
	in     reader
	rest   []byte
	at, to int64
	head   []byte      // all that was read, where it must be kept; nil elsewhere
	hash   *sourceHash // takes all that is read; nil for none
}

func (h *headReader) hashed(part []byte) {
	if h.hash != nil {
		_, _ = h.hash.Write(part)
	}
}

func (h *headReader) Read(b []byte) (int, error) {
	if len(h.rest) == 0 {
		n := min(4<<20, h.to-h.at)
		if n <= 0 {
			return 0, io.EOF
		}
		part, err := h.in.take(h.ctx, h.at, n)
		if err != nil {
			return 0, err
		}
		h.at += n
		h.rest = part
		h.hashed(part)
		if h.head != nil {
			h.head = append(h.head, part...)
		}
	}
	n := copy(b, h.rest)
	h.rest = h.rest[n:]
	return n, nil
}

// hubSHA256 is what a hub says of a file's SHA-256: in the pointer that its repository holds
// in the file's place, or in its list of the folder's files; or what Civitai says of the
// version that a file is of. It is "" where there is none.
func hubSHA256(ctx context.Context, file string, size int64) string {
	if isPlain(loader.NameOf(file)) {
		return ""
	}
	if address, ok := loader.CivitaiVersionURL(file); ok {
		_, text, _ := fetchText(ctx, address, 1<<20)
		_, sum := loader.ParseCivitaiVersion(text, size)
		return sum
	}
	if address, ok := loader.PointerURL(file); ok {
		a, text, err := fetchText(ctx, address, 1024)
		if sum := a.SHA256(); sum != "" && err == nil {
			return sum
		}
		if sum, total, ok := loader.ParsePointer(text); ok && total == size {
			return sum
		}
	}
	if address, path, ok := loader.TreeURL(file); ok {
		_, text, _ := fetchText(ctx, address, 1<<20)
		if sum, total := loader.ParseTree(text, path); total == size {
			return sum
		}
	}
	return ""
}

// Text is a short text that a server sends, such as a list in JSON.
func Text(ctx context.Context, address string) ([]byte, error) {
	_, text, err := fetchText(ctx, address, 4<<20)
	return text, err
}

// fetchText asks a server for a text, and reads a number of bytes of it at most.
func fetchText(ctx context.Context, address string, most int) (loader.Answer, []byte, error) {
	d, a, closed, err := ask(ctx, "GET", address, 0, -1)
	defer closed()
	if err != nil {
		return a, nil, err
	}
	b := js.Global().Get("Uint8Array").New(most)
	none := js.FuncOf(func(js.Value, []js.Value) any { return nil })
	defer none.Release()
	n, err := webapi.Await(context.WithoutCancel(ctx), d.Call("fill", b, 0, most, none))
	if err != nil {
		return a, nil, err
	}
	return a, webapi.GoBytes(b.Call("subarray", 0, n)), nil
}
