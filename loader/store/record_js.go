//go:build js && wasm

package store

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"sort"
	"syscall/js"

	"github.com/hack-pad/go-indexeddb/idb"
)

// Record reads a record. The error is os.ErrNotExist if there is none.
func (s *Store) Record(ctx context.Context, id string) (Record, error) {
	var r Record
	err := s.getJSON(ctx, records, id, &r)
	return r, err
}

// PutRecord writes a record.
func (s *Store) PutRecord(ctx context.Context, r Record) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return s.change(ctx, []string{records}, func(t *idb.Transaction) error {
		return put(t, records, js.ValueOf(r.ID), js.ValueOf(string(text)))
	})
}

// Records lists the records, sorted by name.
func (s *Store) Records(ctx context.Context) ([]Record, error) {
	keys, err := s.keys(ctx, records)
	if err != nil {
		return nil, err
	}
	var list []Record
	for _, k := range keys {
		r, err := s.Record(ctx, k.String())
		if err != nil {
			r = Record{ID: k.String(), Name: k.String()} // so that it can still be deleted
		}
		list = append(list, r)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list, nil
}

// share is how much of a file is stored, in bytes of the source and on the disk.
type share struct{ source, space int64 }

// shares finds how much of each file is stored. Reading a Blob's size reads none of its bytes.
func (s *Store) shares(ctx context.Context) (map[string]share, error) {
	list := map[string]share{}
	keys, err := s.keys(ctx, slices)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		v, err := s.get(ctx, slices, k)
		if err != nil {
			return nil, err
		}
		if v.Type() != js.TypeObject {
			continue // deleted since
		}
		n := int64(v.Get("blob").Get("size").Float())
		x := list[k.Index(0).String()]
		x.space += n
		if source := v.Get("source"); source.Type() == js.TypeNumber {
			n = int64(source.Float())
		}
		x.source += n
		list[k.Index(0).String()] = x
	}
	whole, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range whole {
		list[m.File] = share{m.Source, list[m.File].space}
	}
	return list, nil
}

// Library lists everything that is stored.
func (s *Store) Library(ctx context.Context) (Library, error) {
	all, err := s.Records(ctx)
	if err != nil {
		return Library{}, err
	}
	stored, err := s.shares(ctx)
	if err != nil {
		return Library{}, err
	}
	l := Library{Items: []Item{}}
	owned := map[string]bool{}
	for _, r := range all {
		r.Query = "" // nobody needs to see it
		item := Item{Record: r}
		for _, f := range r.Files {
			owned[f.URL] = true
			item.Done += stored[f.URL].source
			item.Space += stored[f.URL].space
		}
		l.Items = append(l.Items, item)
	}
	for file, x := range stored {
		if !owned[file] {
			l.LeftOver += x.space
		}
	}
	l.Used, l.Granted, err = Usage(ctx)
	return l, err
}

// DeleteRecord removes a record and those of its files that no other record has. A file that is
// read from its place on the disk stays there.
func (s *Store) DeleteRecord(ctx context.Context, id string) error {
	unlock, err := tryLock(ctx, id)
	if err != nil {
		return err
	}
	defer unlock()
	r, err := s.Record(ctx, id)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		r = Record{ID: id}
	}
	others, err := s.owned(ctx, id)
	if err != nil {
		return err
	}
	// The record is removed first. If the rest is interrupted, its files are left over, and
	// Library reports them.
	err = s.change(ctx, []string{records, handles}, func(t *idb.Transaction) error {
		for _, name := range []string{records, handles} {
			o, err := t.ObjectStore(name)
			if err != nil {
				return err
			}
			if _, err := o.Delete(js.ValueOf(id)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, f := range r.Files {
		if !others[f.URL] {
			if err := s.Delete(ctx, f.URL); err != nil {
				return err
			}
		}
	}
	return nil
}

// owned are the files of all records except one.
func (s *Store) owned(ctx context.Context, but string) (map[string]bool, error) {
	all, err := s.Records(ctx)
	list := map[string]bool{}
	for _, r := range all {
		for _, f := range r.Files {
			if r.ID != but {
				list[f.URL] = true
			}
		}
	}
	return list, err
}

// DeleteLeftOver removes files that belong to no record.
func (s *Store) DeleteLeftOver(ctx context.Context) error {
	owned, err := s.owned(ctx, "")
	if err != nil {
		return err
	}
	stored, err := s.shares(ctx)
	if err != nil {
		return err
	}
	for file := range stored {
		if !owned[file] {
			if err := s.Delete(ctx, file); err != nil {
				return err
			}
		}
	}
	return nil
}

// VerifyRecord reads back all files of a record and compares their hashes.
func (s *Store) VerifyRecord(ctx context.Context, id string, progress func(done, total int64)) error {
	r, err := s.Record(ctx, id)
	if err != nil {
		return err
	}
	var before int64
	total := r.Space()
	for _, f := range r.Files {
		if err := s.Verify(ctx, f.URL, f.SHA256, func(done, _ int64) { progress(before+done, total) }); err != nil {
			return err
		}
		before += f.space()
	}
	return nil
}

// tryLock takes the lock of a record. The error is ErrElsewhere if another tab has it.
func tryLock(ctx context.Context, id string) (func(), error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	unlock, err := lock(ctx, "imprompt record "+id, func() { cancel(ErrElsewhere) })
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	return unlock, err
}
