//go:build js && wasm

package loader

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall/js"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// Directory is a folder of the file system, in Node.
type Directory string

// Open opens a file of the folder.
func (d Directory) Open(_ context.Context, path string) (Source, error) {
	return OpenFile(filepath.Join(string(d), path))
}

// file is read through Node's fs straight into a Uint8Array.
type file struct {
	name string
	fd   js.Value
	size int64
}

// OpenFile opens a file in Node.
func OpenFile(path string) (Source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s is a folder", path)
	}
	fd, err := try(func() js.Value { return js.Global().Get("fs").Call("openSync", path, "r") })
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &file{name: path, fd: fd, size: info.Size()}, nil
}

func (f *file) Name() string { return f.name }
func (f *file) Size() int64  { return f.size }

func (f *file) ReadRange(_ context.Context, off, n int64) (webapi.Bytes, error) {
	b := js.Global().Get("Uint8Array").New(n)
	for at := int64(0); at < n; {
		got, err := try(func() js.Value { return js.Global().Get("fs").Call("readSync", f.fd, b, at, n-at, off+at) })
		if err != nil {
			return b, fmt.Errorf("%s: %w", f.name, err)
		}
		if got.Int() == 0 {
			return b, fmt.Errorf("%s ended at byte %d of %d: was it changed while it was read?", f.name, off+at, f.size)
		}
		at += int64(got.Int())
	}
	return b, nil
}

// try turns a JavaScript exception into an error.
func try(call func() js.Value) (v js.Value, err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(js.Error)
			if !ok {
				panic(r)
			}
			err = e
		}
	}()
	return call(), nil
}
