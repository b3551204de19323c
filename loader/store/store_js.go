//go:build js && wasm

package store

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"
	"syscall/js"

	"github.com/hack-pad/go-indexeddb/idb"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader/store/database"
)

const (
	slices    = "slices"    // [file, etag, offset] → {blob, sha256, source, total, state}
	manifests = "manifests" // file → JSON of a Manifest
	handles   = "handles"   // id of a record → FileSystemHandle
	records   = "records"   // id → JSON of a Record
)

// Store is the browser's store of weights.
type Store struct {
	// Reserved says which names of files something else goes by; nil for none.
	Reserved func(name string) bool

	db database.Connection
}

// Manifest describes a stored file. It is written after all slices of the file, so a file either
// has a manifest and is whole, or has none and is not read.
type Manifest struct {
	File      string  `json:"file"`   // its address
	ETag      string  `json:"etag"`   // or Last-Modified, or its size
	Size      int64   `json:"size"`   // in the store
	Source    int64   `json:"source"` // its size at the source
	Converted bool    `json:"converted"`
	SHA256    string  `json:"sha256,omitempty"` // of the source, if its publisher states it: what came had it
	Slices    []Piece `json:"slices"`
}

// Piece is one Blob of a stored file.
type Piece struct {
	At     int64  `json:"at"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Open opens the store. blocked, which may be nil, is told whether another tab keeps it from
// being opened, as database.Connection says.
func Open(ctx context.Context, blocked func(bool)) (*Store, error) {
	s := &Store{db: database.Connection{Name: "imprompt-weights", Version: 2, Upgrade: createStores, Blocked: blocked}}
	return s, s.db.Open(ctx)
}

func createStores(db *idb.Database, _, _ uint) error {
	has, err := db.ObjectStoreNames()
	if err != nil {
		return err
	}
	for _, name := range []string{slices, manifests, handles, records} {
		if contains(has, name) {
			continue
		}
		if _, err := db.CreateObjectStore(name, idb.ObjectStoreOptions{}); err != nil {
			return err
		}
	}
	return nil
}

func contains(list []string, name string) bool {
	for _, x := range list {
		if x == name {
			return true
		}
	}
	return false
}

// change runs a transaction and waits until the browser has written it.
func (s *Store) change(ctx context.Context, stores []string, do func(*idb.Transaction) error) error {
	t, err := s.db.Begin(ctx, idb.TransactionOptions{Mode: idb.TransactionReadWrite, Durability: idb.DurabilityStrict}, stores...)
	if err != nil {
		return err
	}
	if err := do(t); err != nil {
		_ = t.Abort()
		return err
	}
	return full(awaited(ctx, t.Await(ctx)))
}

// awaited is the error of something that was waited for. idb returns nothing, and no error,
// where ctx ended first.
func awaited(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func full(err error) error {
	if err != nil && strings.Contains(err.Error(), "Quota") {
		return ErrFull
	}
	return err
}

func put(t *idb.Transaction, store string, key, value js.Value) error {
	o, err := t.ObjectStore(store)
	if err != nil {
		return err
	}
	_, err = o.PutKey(key, value)
	return err
}

func (s *Store) get(ctx context.Context, store string, key js.Value) (js.Value, error) {
	t, err := s.db.Begin(ctx, idb.TransactionOptions{Mode: idb.TransactionReadOnly}, store)
	if err != nil {
		return js.Undefined(), err
	}
	o, err := t.ObjectStore(store)
	if err != nil {
		return js.Undefined(), err
	}
	r, err := o.Get(key)
	if err != nil {
		return js.Undefined(), err
	}
	v, err := r.Await(ctx)
	return v, awaited(ctx, err)
}

func (s *Store) keys(ctx context.Context, store string) ([]js.Value, error) {
	t, err := s.db.Begin(ctx, idb.TransactionOptions{Mode: idb.TransactionReadOnly}, store)
	if err != nil {
		return nil, err
	}
	o, err := t.ObjectStore(store)
	if err != nil {
		return nil, err
	}
	r, err := o.GetAllKeys()
	if err != nil {
		return nil, err
	}
	list, err := r.Await(ctx)
	return list, awaited(ctx, err)
}

func sliceKey(file, etag string, at int64) js.Value { return js.ValueOf([]any{file, etag, at}) }

// Manifest reads a file's manifest. The error is os.ErrNotExist if the file is not stored whole.
func (s *Store) Manifest(ctx context.Context, file string) (Manifest, error) {
	var m Manifest
	err := s.getJSON(ctx, manifests, file, &m)
	return m, err
}

// getJSON decodes the entry of a table under a name into v. The error is os.ErrNotExist if there
// is none.
func (s *Store) getJSON(ctx context.Context, table, name string, v any) error {
	text, err := s.get(ctx, table, js.ValueOf(name))
	if err != nil {
		return err
	}
	if text.Type() != js.TypeString {
		return fmt.Errorf("%s is not stored here: %w", name, os.ErrNotExist)
	}
	if err := json.Unmarshal([]byte(text.String()), v); err != nil {
		return Damaged(name, "the record of %s is damaged", name)
	}
	return nil
}

// List lists the files that are stored whole.
func (s *Store) List(ctx context.Context) ([]Manifest, error) {
	keys, err := s.keys(ctx, manifests)
	if err != nil {
		return nil, err
	}
	list := []Manifest{}
	for _, k := range keys {
		m, err := s.Manifest(ctx, k.String())
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].File < list[j].File })
	return list, nil
}

// Partial lists the files with stored slices and without a manifest: downloads that were
// interrupted.
func (s *Store) Partial(ctx context.Context) ([]string, error) {
	whole, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, m := range whole {
		seen[m.File] = true
	}
	keys, err := s.keys(ctx, slices)
	if err != nil {
		return nil, err
	}
	list := []string{}
	for _, k := range keys {
		if file := k.Index(0).String(); !seen[file] {
			seen[file] = true
			list = append(list, file)
		}
	}
	return list, nil
}

// Delete removes a file, whole or not. Its manifest goes in the same transaction as its slices,
// so that it is never read again.
func (s *Store) Delete(ctx context.Context, file string) error {
	return s.drop(ctx, file, "", true)
}

// drop removes a file's slices, except those of an etag, and its manifest if that is asked for.
func (s *Store) drop(ctx context.Context, file, but string, manifest bool) error {
	keys, err := s.keys(ctx, slices)
	if err != nil {
		return err
	}
	return s.change(ctx, []string{slices, manifests}, func(t *idb.Transaction) error {
		m, err := t.ObjectStore(manifests)
		if err != nil {
			return err
		}
		o, err := t.ObjectStore(slices)
		if err != nil {
			return err
		}
		if manifest {
			if _, err := m.Delete(js.ValueOf(file)); err != nil {
				return err
			}
		}
		for _, k := range keys {
			if k.Index(0).String() == file && (but == "" || k.Index(1).String() != but) {
				if _, err := o.Delete(k); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Usage is how many bytes the page stores and how many it may store, as the browser estimates.
func Usage(ctx context.Context) (used, granted int64, err error) {
	v, err := webapi.Await(ctx, js.Global().Get("navigator").Get("storage").Call("estimate"))
	if err != nil {
		return 0, 0, err
	}
	return int64(v.Get("usage").Float()), int64(v.Get("quota").Float()), nil
}
