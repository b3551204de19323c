//go:build js && wasm

package loader

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall/js"
	"time"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// Web is the folder of a model on a server. It is read in ranges when it is needed and is not
// stored: the command line's --model URL. The page downloads models first (package store).
type Web string

// Open opens a file of the folder.
func (w Web) Open(ctx context.Context, name string) (Source, error) {
	return OpenURL(ctx, strings.TrimSuffix(string(w), "/")+"/"+strings.TrimPrefix(name, "./"))
}

type webFile struct {
	url, etag string
	size      int64
}

// OpenURL opens a file on a server, which has to support Range requests.
func OpenURL(ctx context.Context, url string) (Source, error) {
	f := &webFile{url: url, size: -1}
	r, err := f.fetch(ctx, 0, 1)
	if err != nil {
		return nil, err
	}
	total := r.Get("headers").Call("get", "content-range")
	_ = r.Get("body").Call("cancel")
	if total.Type() == js.TypeString {
		_, text, _ := strings.Cut(total.String(), "/")
		f.size, err = strconv.ParseInt(text, 10, 64)
	}
	if err != nil || f.size < 0 {
		return nil, fmt.Errorf("%s: the server does not tell the size of the file: download it, and give the file", url)
	}
	f.etag = header(r, "etag")
	return f, nil
}

func header(r js.Value, name string) string {
	if v := r.Get("headers").Call("get", name); v.Type() == js.TypeString {
		return v.String()
	}
	return ""
}

// fetch requests bytes [from, to) and returns a response with the status 206, whose body has not
// been read.
func (f *webFile) fetch(ctx context.Context, from, to int64) (js.Value, error) {
	options := map[string]any{"headers": map[string]any{"range": fmt.Sprintf("bytes=%d-%d", from, to-1)}}
	r, err := webapi.Await(ctx, js.Global().Call("fetch", f.url, options))
	if err != nil {
		return r, fmt.Errorf("%s cannot be reached (%w): is the network up?", f.url, err)
	}
	status := r.Get("status").Int()
	if status == http.StatusPartialContent {
		return r, nil
	}
	if body := r.Get("body"); body.Truthy() {
		body.Call("cancel")
	}
	switch status {
	case http.StatusNotFound, http.StatusGone:
		return r, fmt.Errorf("%s: %w", f.url, os.ErrNotExist)
	case http.StatusUnauthorized, http.StatusForbidden:
		return r, fmt.Errorf("%s: the server answered %d: you may have to sign in and accept the model's licence: download %s in a browser, and give the file", f.url, status, path.Base(f.url))
	case http.StatusOK, http.StatusRequestedRangeNotSatisfiable:
		return r, fmt.Errorf("%s: the server does not send parts of files (it answered %d): download it, and give the file", f.url, status)
	}
	return r, busy{fmt.Errorf("%s: the server answered %d: try again later", f.url, status)}
}

// busy is an error that may pass.
type busy struct{ error }

func (f *webFile) Name() string { return f.url }
func (f *webFile) Size() int64  { return f.size }

func (f *webFile) ReadRange(ctx context.Context, off, n int64) (webapi.Bytes, error) {
	if off < 0 || n < 0 || off > f.size || n > f.size-off {
		return js.Null(), fmt.Errorf("%s has no bytes %d to %d", f.url, off, off+n)
	}
	if n == 0 {
		return js.Global().Get("Uint8Array").New(0), nil
	}
	for attempt := 0; ; attempt++ {
		b, err := f.read(ctx, off, n)
		var again busy
		if err == nil || !errors.As(err, &again) || attempt == 4 {
			return b, err
		}
		select {
		case <-ctx.Done():
			return js.Null(), ctx.Err()
		case <-time.After(250 * time.Millisecond << attempt):
		}
	}
}

func (f *webFile) read(ctx context.Context, off, n int64) (webapi.Bytes, error) {
	r, err := f.fetch(ctx, off, off+n)
	if err != nil {
		return js.Null(), err
	}
	if etag := header(r, "etag"); etag != f.etag {
		r.Get("body").Call("cancel")
		return js.Null(), fmt.Errorf("%s was changed at its source while it was read: start again", f.url)
	}
	buffer, err := webapi.Await(ctx, r.Call("arrayBuffer"))
	if err != nil {
		if ctx.Err() != nil {
			return js.Null(), err
		}
		return js.Null(), busy{fmt.Errorf("%s: the connection broke off: %w", f.url, err)}
	}
	b := js.Global().Get("Uint8Array").New(buffer)
	if got := int64(webapi.NumBytes(b)); got != n {
		return js.Null(), busy{fmt.Errorf("%s: %d bytes came of %d", f.url, got, n)}
	}
	return b, nil
}
