//go:build js && wasm

package loader

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall/js"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// Origin is a folder below a URL of the page's own origin, such as the model that ships. Its
// files are small. They are fetched whole, into an ArrayBuffer outside of Go's heap, and come
// from the service worker's cache where there is no network. A query in
// the URL is added to the address of each file: it names the version of the site.
type Origin string

// Open fetches a file of the folder.
func (o Origin) Open(ctx context.Context, path string) (Source, error) {
	// There must be no double slash: the service worker finds its files by their addresses.
	base, query, _ := strings.Cut(string(o), "?")
	url := strings.TrimSuffix(base, "/") + "/" + path
	address := url
	if query != "" {
		address += "?" + query
	}
	response, err := webapi.Await(ctx, js.Global().Call("fetch", address))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	switch status := response.Get("status").Int(); {
	case status == 404:
		return nil, fmt.Errorf("%s: %w", url, os.ErrNotExist)
	case status != 200:
		return nil, fmt.Errorf("%s: the server answered %d", url, status)
	}
	buffer, err := webapi.Await(ctx, response.Call("arrayBuffer"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	return &memory{name: url, bytes: js.Global().Get("Uint8Array").New(buffer)}, nil
}

// memory is a file that is held in JavaScript's memory.
type memory struct {
	name  string
	bytes webapi.Bytes
}

// Memory is a small file that is held in memory.
func Memory(name string, b []byte) Source { return &memory{name: name, bytes: webapi.BytesOf(b)} }

func (m *memory) Name() string { return m.name }
func (m *memory) Size() int64  { return int64(webapi.NumBytes(m.bytes)) }

func (m *memory) ReadRange(_ context.Context, off, n int64) (webapi.Bytes, error) {
	if off < 0 || n < 0 || off > m.Size() || n > m.Size()-off {
		return js.Null(), fmt.Errorf("%s has no bytes %d to %d", m.name, off, off+n)
	}
	return m.bytes.Call("subarray", off, off+n), nil
}
