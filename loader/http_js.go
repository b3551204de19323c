//go:build js && wasm

package loader

import (
	"context"
	"errors"
	"fmt"
	"net/url"
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
	url  string
	tag  Tag
	size int64
}

// OpenURL opens a file on a server, which has to support Range requests.
func OpenURL(ctx context.Context, url string) (Source, error) {
	f := &webFile{url: url, size: -1}
	r, answer, err := f.fetch(ctx, 0, 1)
	if err != nil {
		return nil, err
	}
	cancel(r)
	if f.size = answer.Total(); f.size < 0 {
		return nil, fmt.Errorf("%s: the server does not say how large it is: %w", f.Name(), byHand(NameOf(url)))
	}
	f.tag = answer.Tag()
	return f, nil
}

var ignore = js.FuncOf(func(js.Value, []js.Value) any { return nil })

// cancel drops a response's body.
func cancel(response js.Value) {
	if body := response.Get("body"); body.Truthy() {
		body.Call("cancel").Call("catch", ignore)
	}
}

// What a server is waited for: for the next bytes, and in all after it asked to wait.
var (
	stallAfter = 30 * time.Second
	mostWait   = 15 * time.Minute
)

// ask fetches an address, and follows redirects itself, so that each is checked before
// it is followed.
func ask(ctx context.Context, address string, headers map[string]any) (js.Value, Answer, error) {
	asked := address
	for range 10 {
		ctx, stop := context.WithTimeout(ctx, stallAfter)
		r, err := webapi.Await(ctx, js.Global().Call("fetch", address, map[string]any{"headers": headers, "redirect": "manual"}))
		stop()
		a := Answer{URL: address, Headers: map[string]string{}}
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			a.Failed = Stalled
		case errors.Is(err, context.Canceled):
			a.Failed = Aborted
		case err != nil:
			return r, a, Transient{Unreachable: true, error: fmt.Errorf("%s cannot be reached (%w): is the network up?", HostOf(asked), err)}
		}
		if err != nil {
			return r, a, a.Check(asked)
		}
		a.Status = r.Get("status").Int()
		for _, name := range AnswerHeaders {
			if v := r.Get("headers").Call("get", name); v.Type() == js.TypeString {
				a.Headers[name] = v.String()
			}
		}
		location := r.Get("headers").Call("get", "location")
		if a.Status < 300 || a.Status > 399 || location.Type() != js.TypeString {
			err := a.Check(asked)
			if err != nil {
				cancel(r)
			}
			return r, a, err
		}
		cancel(r)
		base, err := url.Parse(address)
		if err != nil {
			return r, a, err
		}
		next, err := base.Parse(location.String())
		if err != nil {
			return r, a, fmt.Errorf("%s sends the request on to an address that is none", base.Host)
		}
		if address = next.String(); checkRedirect(asked, address) != nil {
			return r, a, checkRedirect(asked, address)
		}
	}
	return js.Null(), Answer{}, fmt.Errorf("%s sends the request on in circles: check the link", HostOf(asked))
}

// fetch asks for bytes [from, to) and returns a response with status 206, whose body is
// not read yet. What may pass is tried again.
func (f *webFile) fetch(ctx context.Context, from, to int64) (js.Value, Answer, error) {
	for attempt := 0; ; attempt++ {
		r, a, err := ask(ctx, f.url, map[string]any{"range": fmt.Sprintf("bytes=%d-%d", from, to-1)})
		if err == nil && a.Status != 206 || errors.Is(err, ErrChanged) {
			cancel(r)
			return r, a, fmt.Errorf("%s: the server does not send parts of files (it answered %d): %w", f.Name(), a.Status, byHand(NameOf(f.url)))
		}
		if err == nil && f.size >= 0 {
			if err = a.CheckPart(f.url, from, to, f.size); err != nil {
				cancel(r)
			}
		}
		if err = again(ctx, err, attempt); err != errAgain {
			return r, a, err
		}
	}
}

// Text reads a short text from a server, such as a list in JSON.
func Text(ctx context.Context, address string) ([]byte, error) {
	r, a, err := ask(ctx, address, map[string]any{})
	if err != nil {
		return nil, err
	}
	if a.Length() > 4<<20 {
		cancel(r)
		return nil, fmt.Errorf("%s has %s, too much for a list", HostOf(address), FormatBytes(a.Length()))
	}
	b, err := webapi.Await(ctx, r.Call("arrayBuffer"))
	if err != nil {
		return nil, err
	}
	return webapi.GoBytes(js.Global().Get("Uint8Array").New(b)), nil
}

var errAgain = errors.New("again")

// again waits, and returns errAgain, where an error may pass.
func again(ctx context.Context, err error, attempt int) error {
	var t Transient
	if !errors.As(err, &t) || attempt == 4 || t.Wait > mostWait {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(max(t.Wait, 250*time.Millisecond<<attempt)):
		return errAgain
	}
}

func (f *webFile) Name() string { return Public(f.url) }
func (f *webFile) Size() int64  { return f.size }

func (f *webFile) ReadRange(ctx context.Context, off, n int64) (webapi.Bytes, error) {
	if off < 0 || n < 0 || off > f.size || n > f.size-off {
		return js.Null(), fmt.Errorf("%s has no bytes %d to %d", f.Name(), off, off+n)
	}
	b := js.Global().Get("Uint8Array").New(n)
	for at, attempt := int64(0), 0; at < n; attempt++ {
		got, err := f.read(ctx, off+at, b.Call("subarray", at))
		at += got
		if got >= 64<<10 {
			attempt = 0
		}
		if err = again(ctx, err, attempt); err != nil && err != errAgain {
			return js.Null(), err
		}
	}
	return b, nil
}

// read reads bytes from an offset on into a buffer, and says how far it came.
func (f *webFile) read(ctx context.Context, off int64, into js.Value) (at int64, err error) {
	n := int64(webapi.NumBytes(into))
	r, a, err := f.fetch(ctx, off, off+n)
	if err != nil {
		return 0, err
	}
	if a.Tag().Text != f.tag.Text {
		cancel(r)
		return 0, fmt.Errorf("%s was changed at its source while it was read: start again", f.Name())
	}
	reader := r.Get("body").Call("getReader")
	defer func() { reader.Call("cancel").Call("catch", ignore) }()
	for at < n {
		wait, stop := context.WithTimeout(ctx, stallAfter)
		part, err := webapi.Await(wait, reader.Call("read"))
		stop()
		switch {
		case ctx.Err() != nil:
			return at, ctx.Err()
		case err != nil:
			return at, Broken(fmt.Errorf("%s: the connection broke off: %w", f.Name(), err))
		case part.Get("done").Bool():
			return at, Broken(fmt.Errorf("%s: %d bytes came of %d", f.Name(), at, n))
		}
		value := part.Get("value")
		if got := int64(webapi.NumBytes(value)); got > n-at {
			return at, fmt.Errorf("%s: more bytes came than were asked for", f.Name())
		}
		into.Call("set", value, at)
		at += int64(webapi.NumBytes(value))
	}
	return at, nil
}
