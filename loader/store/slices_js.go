//go:build js && wasm

package store

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"sync"
	"syscall/js"

	"github.com/hack-pad/go-indexeddb/idb"
	"github.com/imprompt/imprompt/loader"
)

// transfer is one download under way.
type transfer struct {
	store    *Store
	file     string
	tag      loader.Tag // of the source
	etag     string     // under which the slices are stored
	in       reader
	options  Options
	plan     plan
	source   *sourceHash // of the source, up to where it is stored; nil where that is not needed
	mu       sync.Mutex
	done     int64
	pieces   map[int64]Piece
	unsure   bool       // answers of more than one tag came before a slice could be compared
	checking sync.Mutex // one slice at a time is read again
	storing  sync.Mutex // one slice at a time is turned, hashed and stored, for each takes copies
}

// missing finds out which slices are stored already. It returns those that are not, and their
// size in the store. A file that is hashed while it comes has to come in order, so there it
// stops at the first slice that is not stored together with the state of the hash.
func (d *transfer) missing(ctx context.Context) (list []slice, need int64, err error) {
	inOrder := d.plan.converted && d.options.SHA256 != ""
	state := js.Null()
	for _, x := range d.plan.slices {
		v, err := d.store.get(ctx, slices, sliceKey(d.file, d.etag, x.at))
		if err != nil {
			return nil, 0, err
		}
		stored := v.Type() == js.TypeObject && int64(v.Get("blob").Get("size").Float()) == x.size
		if !stored || inOrder && (len(list) > 0 || v.Get("state").Type() != js.TypeObject) {
			list = append(list, x)
			need += x.size
			continue
		}
		state = v.Get("state")
		d.pieces[x.at] = Piece{x.at, x.size, v.Get("sha256").String()}
		d.done += x.to - x.from
	}
	if !inOrder {
		return list, need, nil
	}
	if len(d.pieces) > 0 {
		if d.source, err = newSourceHash(ctx, state); err == nil || ctx.Err() != nil {
			return list, need, err
		}
		// Another version of the library wrote the state, so all is fetched again.
		clear(d.pieces)
		d.done, list, need = 0, d.plan.slices, d.plan.size
	}
	d.source = d.options.header
	return list, need, nil
}

// add counts source bytes.
func (d *transfer) add(n int64) {
	d.mu.Lock()
	d.done += n
	done := d.done
	d.mu.Unlock()
	d.options.Progress(done, d.in.length(), false)
}

// parallel fetches slices with several requests at once, beginning with the first.
func (d *transfer) parallel(ctx context.Context, missing []slice) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan int, len(missing))
	// The slices that are hashed are kept one after another: turns[i] is closed when it is
	// slice i's turn.
	turns := make([]chan struct{}, len(missing)+1)
	for i := range missing {
		queue <- i
		turns[i] = make(chan struct{})
	}
	turns[len(missing)] = make(chan struct{})
	close(turns[0])
	close(queue)
	var wait sync.WaitGroup
	for range min(d.options.Parallel, len(missing)) {
		wait.Go(func() {
			for i := range queue {
				if ctx.Err() != nil {
					return
				}
				x := missing[i]
				bytes, err := d.in.read(ctx, x.from, x.to, d.add)
				if err == nil && d.source != nil {
					select {
					case <-turns[i]:
					case <-ctx.Done():
						return
					}
				}
				if err == nil {
					err = d.keep(ctx, x, bytes)
				}
				if err != nil {
					cancel(err)
					return
				}
				close(turns[i+1])
			}
		})
	}
	wait.Wait()
	return context.Cause(ctx)
}

// inOrder takes the slices from the single response of a server without ranges, of which head
// was read already.
func (d *transfer) inOrder(ctx context.Context, in *intake, missing []slice, head []byte) error {
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
		if x.from < at { // some of it was read with the header
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
func (d *transfer) keep(ctx context.Context, x slice, bytes js.Value) error {
	d.storing.Lock()
	defer d.storing.Unlock()
	state := js.Null()
	if d.source != nil {
		d.source.add(bytes)
		state = d.source.save()
	}
	return d.write(ctx, x.at, x.to-x.from, converted(x, bytes), state)
}

// converted are the bytes that a slice is stored as. The source's are given up.
func converted(x slice, bytes js.Value) js.Value {
	changes := false
	var list []any
	for _, g := range x.segments {
		changes = changes || g.conversion != keep
		list = append(list, g.bytes, int(g.conversion))
	}
	if !changes {
		return bytes
	}
	defer free(bytes)
	return glue().Call("convert", bytes, list, x.size)
}

// write stores a Blob and its hash in one transaction: if the tab dies, both are stored or
// neither. source is the number of the source's bytes that the Blob is made from, and state
// is that of the source's hash behind them, or null.
func (d *transfer) write(ctx context.Context, at, source int64, bytes, state js.Value) error {
	size := int64(bytes.Get("byteLength").Int())
	sum, err := hash(ctx, bytes)
	if err != nil {
		return err
	}
	blob := js.Global().Get("Blob").New([]any{bytes})
	free(bytes)
	err = d.store.change(ctx, []string{slices}, func(t *idb.Transaction) error {
		return put(t, slices, sliceKey(d.file, d.etag, at), js.ValueOf(map[string]any{"blob": blob, "sha256": sum, "source": source, "total": d.in.length(), "state": state}))
	})
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.pieces[at] = Piece{at, size, sum}
	d.mu.Unlock()
	runtime.GC() // releases the Blob
	return nil
}

// free releases the memory of bytes that are not needed any more. Go holds JavaScript objects
// until it collects its own garbage, and a download makes so little garbage that all slices
// of a file would stay in memory.
func free(bytes js.Value) { glue().Call("free", bytes) }

// commit writes the manifest, by which the file is there.
func (d *transfer) commit(ctx context.Context) (Manifest, error) {
	p := d.plan
	m := Manifest{File: d.file, ETag: d.etag, Size: p.size, Source: d.in.length(), Converted: p.converted, SHA256: d.options.SHA256}
	if p.header != nil {
		m.Slices = append(m.Slices, d.pieces[0])
	}
	for _, x := range p.slices {
		m.Slices = append(m.Slices, d.pieces[x.at])
	}
	if err := d.verify(ctx, m); err != nil {
		// The next attempt must not use these bytes.
		return m, errors.Join(err, d.store.Delete(ctx, d.file))
	}
	text, err := json.Marshal(m)
	if err != nil {
		return m, err
	}
	return m, d.store.change(ctx, []string{manifests}, func(t *idb.Transaction) error {
		return put(t, manifests, js.ValueOf(d.file), js.ValueOf(string(text)))
	})
}

// verify compares what came with the hash that its publisher states, if there is one.
func (d *transfer) verify(ctx context.Context, m Manifest) error {
	switch {
	case m.SHA256 == "":
		return nil
	case d.source == nil:
		return d.store.verify(ctx, m, m.SHA256, func(int64, int64) {})
	}
	if got := d.source.sum(); got != m.SHA256 {
		return notReleased(m.File, got, m.SHA256)
	}
	return nil
}
