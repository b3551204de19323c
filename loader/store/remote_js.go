//go:build js && wasm

package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"syscall/js"
	"time"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// patience is how many times in a row a request may fail without receiving a byte.
const patience = 6

// errChanged means that the file at the address is not the one whose download began.
var errChanged = errors.New("the file changed at its source during the download")

// transient wraps an error that may pass, such as a lost connection or a busy server.
type transient struct {
	error
	wait time.Duration
}

func glue() js.Value { return js.Global().Get("impromptLoader") }

// signal returns an AbortSignal that follows a context. The function has to be called at the
// end.
func signal(ctx context.Context) (js.Value, func()) {
	controller := js.Global().Get("AbortController").New()
	stop := context.AfterFunc(ctx, func() { controller.Call("abort") })
	return controller.Get("signal"), func() { stop() }
}

// judge returns nil for a response with bytes, and otherwise an error for the visitor.
func judge(address string, r js.Value) error {
	host := address
	if u, err := url.Parse(address); err == nil {
		host = u.Host
	}
	name := path.Base(address)
	switch status := r.Get("status").Int(); {
	case status == 200 || status == 206:
		return nil
	case status == 0 && r.Get("failed").String() == "abort":
		return context.Canceled
	case status == 0:
		return transient{fmt.Errorf("%s cannot be reached: either the network is down, or the server does not allow web pages to read its files (CORS). Try again, or download %s yourself and drop it here", host, name), 0}
	case status == 401 || status == 403:
		return fmt.Errorf("%s does not send %s (it answered %d): you may have to sign in there and accept the model's licence. Download it in your browser and drop the file here", host, name, status)
	case status == 404 || status == 410:
		return fmt.Errorf("there is no %s at %s (it answered %d): check the link: %w", name, host, status, os.ErrNotExist)
	case status == 416:
		return errChanged
	case status == 408 || status == 429 || status >= 500:
		text := "is busy or has a fault"
		if status == 429 {
			text = "asks for fewer requests"
		}
		return transient{fmt.Errorf("%s %s (it answered %d): wait a while, then continue; what is stored stays", host, text, status), time.Duration(min(60, r.Get("retryAfter").Int())) * time.Second}
	default:
		return fmt.Errorf("%s answered %d for %s: check the link", host, status, name)
	}
}

// pause waits before another attempt: for as long as the server asks, or else twice as long
// each time.
func pause(ctx context.Context, err error, attempt int) error {
	wait := 250 * time.Millisecond << attempt
	var t transient
	if errors.As(err, &t) && t.wait > 0 {
		wait = t.wait
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}

// remote is a file of a server.
type remote struct {
	url    string
	etag   string // or Last-Modified; "" if pages may read neither
	size   int64
	ranged bool
}

func probe(ctx context.Context, address string) (*remote, error) {
	for attempt := 0; ; attempt++ {
		s, stop := signal(ctx)
		r, err := webapi.Await(ctx, glue().Call("probe", address, s))
		stop()
		if err != nil {
			return nil, err
		}
		err = judge(address, r)
		var t transient
		if errors.As(err, &t) && attempt < patience-2 {
			if err := pause(ctx, err, attempt); err != nil {
				return nil, err
			}
			continue
		}
		if errors.Is(err, errChanged) {
			return nil, fmt.Errorf("%s is empty", address) // it has no first byte
		}
		if err != nil {
			return nil, err
		}
		f := &remote{url: address, etag: r.Get("etag").String(), size: int64(r.Get("size").Float()), ranged: r.Get("status").Int() == 206}
		if f.size < 0 {
			return nil, fmt.Errorf("the server does not say how large %s is: download it yourself and drop the file here", path.Base(address))
		}
		return f, nil
	}
}

// check compares a response with the file whose download began.
func (f *remote) check(r js.Value) error {
	if etag := r.Get("etag").String(); f.etag != "" && etag != "" && etag != f.etag {
		return errChanged
	}
	if size := int64(r.Get("size").Float()); size >= 0 && size != f.size {
		return errChanged
	}
	return nil
}

// read fetches bytes [from, to) into a new Uint8Array. After a lost connection it continues where
// it stopped.
func (f *remote) read(ctx context.Context, from, to int64, count func(n int64)) (js.Value, error) {
	buffer := js.Global().Get("Uint8Array").New(to - from)
	counter := js.FuncOf(func(_ js.Value, args []js.Value) any { count(int64(args[0].Int())); return nil })
	defer counter.Release()
	at := int64(0)
	for attempt := 0; ; {
		before := at
		err := func() error {
			s, stop := signal(ctx)
			defer stop()
			d := glue().Call("download", f.url, from+at, to, s)
			r, err := webapi.Await(context.WithoutCancel(ctx), d.Call("open"))
			if err != nil {
				return err
			}
			defer d.Call("close")
			if err := judge(f.url, r); err != nil {
				return err
			}
			if err := f.check(r); err != nil {
				return err
			}
			if start := int64(r.Get("start").Float()); r.Get("status").Int() != 206 || start >= 0 && start != from+at {
				return transient{fmt.Errorf("the server sent a different part of %s than it was asked for: try again later", path.Base(f.url)), 0}
			}
			// The signal ends this promise, so it is awaited in any case: nothing may call
			// counter after this function has returned.
			v, err := webapi.Await(context.WithoutCancel(ctx), d.Call("fill", buffer, at, to-from, counter))
			if err != nil {
				return err
			}
			at = int64(v.Float())
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if at < to-from {
				return transient{fmt.Errorf("the connection was lost at byte %d of %d of %s: continue when the network is back; what is stored stays", from+at, f.size, path.Base(f.url)), 0}
			}
			return nil
		}()
		if err == nil {
			return buffer, nil
		}
		if at > before {
			attempt = 0
		}
		var t transient
		if !errors.As(err, &t) || attempt >= patience {
			return buffer, err
		}
		if err := pause(ctx, err, attempt); err != nil {
			return buffer, err
		}
		attempt++
	}
}
