//go:build !js

package loader

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// Directory is a folder of the file system.
type Directory string

// Open opens a file of the folder.
func (d Directory) Open(_ context.Context, path string) (Source, error) {
	return OpenFile(filepath.Join(string(d), path))
}

type file struct {
	*os.File
	size int64
}

// OpenFile opens a file.
func OpenFile(path string) (Source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return &file{f, info.Size()}, nil
}

func (f *file) Size() int64 { return f.size }

func (f *file) ReadRange(_ context.Context, off, n int64) (webapi.Bytes, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(io.NewSectionReader(f, off, n), b)
	return b, err
}
