//go:build js && wasm

package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime"
	"sort"
	"strings"
	"syscall/js"

	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
)

// stored is a file of the store. Its Blobs are handles: their bytes are on the disk.
type stored struct {
	store *Store
	Manifest
	blobs map[int64]js.Value
}

// Source opens a stored file.
func (s *Store) Source(ctx context.Context, file string) (loader.Source, error) {
	m, err := s.Manifest(ctx, file)
	if err != nil {
		return nil, err
	}
	return &stored{s, m, map[int64]js.Value{}}, nil
}

func (f *stored) Name() string { return f.File }
func (f *stored) Size() int64  { return f.Manifest.Size }

func (f *stored) blob(ctx context.Context, p Piece) (js.Value, error) {
	if b, ok := f.blobs[p.At]; ok {
		return b, nil
	}
	v, err := f.store.get(ctx, slices, sliceKey(f.File, f.ETag, p.At))
	if err != nil {
		return v, err
	}
	if v.Type() != js.TypeObject || int64(v.Get("blob").Get("size").Float()) != p.Size {
		return v, Damaged(f.File, "the browser has lost a part of %s", f.File)
	}
	f.blobs[p.At] = v.Get("blob")
	return f.blobs[p.At], nil
}

func (f *stored) ReadRange(ctx context.Context, off, n int64) (webapi.Bytes, error) {
	if off < 0 || n < 0 || off > f.Size() || n > f.Size()-off {
		return js.Null(), fmt.Errorf("%s has no bytes %d to %d", f.File, off, off+n)
	}
	first := sort.Search(len(f.Slices), func(i int) bool { return f.Slices[i].At+f.Slices[i].Size > off })
	var parts []any
	for i, done := first, int64(0); done < n; i++ {
		p := f.Slices[i]
		b, err := f.blob(ctx, p)
		if err != nil {
			return js.Null(), err
		}
		from := off + done - p.At
		take := min(p.Size-from, n-done)
		parts = append(parts, b.Call("slice", from, from+take))
		done += take
	}
	whole := js.Global().Get("Blob").New(parts) // read at once, so that nothing has to be copied together
	if len(parts) == 1 {
		whole = parts[0].(js.Value)
	}
	buffer, err := webapi.Await(ctx, whole.Call("arrayBuffer"))
	if err != nil {
		return js.Null(), Damaged(f.File, "%s cannot be read back (%w)", f.File, err)
	}
	return js.Global().Get("Uint8Array").New(buffer), nil
}

// Folder shows the stored files below a URL as a model's folder.
func (s *Store) Folder(base string) loader.Folder { return folder{s, strings.TrimSuffix(base, "/")} }

type folder struct {
	store *Store
	base  string
}

func (f folder) Open(ctx context.Context, path string) (loader.Source, error) {
	return f.store.Source(ctx, f.base+"/"+strings.TrimPrefix(path, "./"))
}

// Verify reads back a stored file and compares each slice with the hash that was computed when
// it was written. If nothing was converted, it also compares the whole file with the source's
// SHA-256 (in hexadecimal; "" leaves this out). What was converted was compared when it came.
func (s *Store) Verify(ctx context.Context, file, source string, progress func(done, total int64)) error {
	m, err := s.Manifest(ctx, file)
	if err != nil {
		return err
	}
	return s.verify(ctx, m, cmp.Or(source, m.SHA256), progress)
}

func (s *Store) verify(ctx context.Context, m Manifest, source string, progress func(done, total int64)) error {
	file := m.File
	f := &stored{s, m, map[int64]js.Value{}}
	whole := sha256.New()
	const window = 1 << 20 // how much of a file is in Go's heap at once
	buffer := make([]byte, window)
	for _, p := range m.Slices {
		bytes, err := f.ReadRange(ctx, p.At, p.Size)
		if err != nil {
			return err
		}
		got, err := hash(ctx, bytes)
		if err != nil {
			return err
		}
		runtime.GC() // releases the previous slice
		if got != p.SHA256 {
			return Damaged(file, "%s is damaged on this disk", file)
		}
		if source != "" && !m.Converted {
			for at := int64(0); at < p.Size; at += window {
				n := js.CopyBytesToGo(buffer, bytes.Call("subarray", at, min(at+window, p.Size)))
				whole.Write(buffer[:n])
			}
		}
		progress(p.At+p.Size, m.Size)
	}
	if source != "" && !m.Converted {
		if got := hex.EncodeToString(whole.Sum(nil)); got != source {
			return notReleased(file, got, source)
		}
	}
	return nil
}
