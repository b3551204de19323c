//go:build js && wasm

package store

import (
	"context"
	"fmt"
	"os"
	"syscall/js"

	"github.com/hack-pad/go-indexeddb/idb"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
)

// KeepHandle remembers a FileSystemFileHandle under a name, also after a reload.
func (s *Store) KeepHandle(ctx context.Context, name string, handle js.Value) error {
	return s.change(ctx, []string{handles}, func(t *idb.Transaction) error {
		return put(t, handles, js.ValueOf(name), handle)
	})
}

// Handle returns a remembered handle.
func (s *Store) Handle(ctx context.Context, name string) (js.Value, error) {
	v, err := s.get(ctx, handles, js.ValueOf(name))
	if err == nil && v.Type() != js.TypeObject {
		err = fmt.Errorf("the file %s is not known here any more (%w). Choose it again", name, os.ErrNotExist)
	}
	return v, err
}

// Handles lists the names of the files that are read from their places.
func (s *Store) Handles(ctx context.Context) ([]string, error) {
	keys, err := s.keys(ctx, handles)
	list := []string{}
	for _, k := range keys {
		list = append(list, k.String())
	}
	return list, err
}

// ForgetHandle forgets a handle; the file itself stays where it is.
func (s *Store) ForgetHandle(ctx context.Context, name string) error {
	return s.change(ctx, []string{handles}, func(t *idb.Transaction) error {
		o, err := t.ObjectStore(handles)
		if err != nil {
			return err
		}
		_, err = o.Delete(js.ValueOf(name))
		return err
	})
}

// OpenHandle opens a remembered file. The error is ErrPermission if the visitor has to be
// asked.
func (s *Store) OpenHandle(ctx context.Context, name string) (loader.Source, error) {
	h, err := s.Handle(ctx, name)
	if err != nil {
		return nil, err
	}
	if h.Get("queryPermission").Type() == js.TypeFunction {
		state, err := webapi.Await(ctx, h.Call("queryPermission", map[string]any{"mode": "read"}))
		if err != nil {
			return nil, err
		}
		if state.String() != "granted" {
			return nil, fmt.Errorf("%s: %w", name, ErrPermission)
		}
	}
	file, err := webapi.Await(ctx, h.Call("getFile"))
	if err != nil {
		return nil, fmt.Errorf("%s cannot be opened (%w): was it moved or deleted? Choose it again", name, err)
	}
	return File(file), nil
}
