//go:build js && wasm

package store

import (
	"context"
	"fmt"
	"syscall/js"

	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
)

// intake reads a remote file: in ranges, or in order from a single response if the server does
// not support ranges.
type intake struct {
	*remote
	whole  js.Value
	closed func()
}

func (in *intake) open(ctx context.Context) error {
	d, a, closed, err := ask(ctx, "GET", in.url, 0, -1)
	if err == nil {
		err = in.check(ctx, a)
	}
	if err != nil {
		closed()
		return err
	}
	in.whole, in.closed = d, closed
	return nil
}

func (in *intake) name() string  { return loader.NameOf(in.url) }
func (in *intake) length() int64 { return in.size }

func (in *intake) close() { in.closed() }

// take reads a few bytes, such as a header, into Go's heap.
func (in *intake) take(ctx context.Context, from, n int64) ([]byte, error) {
	none := func(int64) {}
	if in.ranged {
		b, err := in.read(ctx, from, from+n, none)
		if err != nil {
			return nil, err
		}
		return webapi.GoBytes(b), nil
	}
	b := js.Global().Get("Uint8Array").New(n)
	if err := in.fill(ctx, b, 0, n, none); err != nil {
		return nil, err
	}
	return webapi.GoBytes(b), nil
}

// fill reads the next bytes of the single response into buffer[at:n], or discards them where
// buffer is null.
func (in *intake) fill(ctx context.Context, buffer js.Value, at, n int64, count func(int64)) error {
	counter := js.FuncOf(func(_ js.Value, args []js.Value) any { count(int64(args[0].Int())); return nil })
	defer counter.Release()
	v, err := webapi.Await(context.WithoutCancel(ctx), in.whole.Call("fill", buffer, at, n, counter))
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case int64(v.Float()) < n:
		return fmt.Errorf("the connection was interrupted, and this server sends only whole files: continue to try again; the finished parts of %s stay stored but are sent once more", loader.NameOf(in.url))
	}
	return nil
}
