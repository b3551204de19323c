//go:build js && wasm

package store

import (
	"context"
	"fmt"
	"path"
	"strings"
	"syscall/js"

	"github.com/imprompt/imprompt/gpu/webapi"
)

// intake reads a remote file: in ranges, or, of a server that has none, from one
// response in order.
type intake struct {
	*remote
	whole js.Value
	stop  func()
}

func (in *intake) open(ctx context.Context) error {
	s, stop := signal(ctx)
	in.stop = stop
	in.whole = glue().Call("download", in.url, 0, -1, s)
	r, err := webapi.Await(ctx, in.whole.Call("open"))
	if err != nil {
		return err
	}
	if err := judge(in.url, r); err != nil {
		return err
	}
	return in.check(r)
}

func (in *intake) name() string  { return path.Base(strings.SplitN(in.url, "?", 2)[0]) }
func (in *intake) length() int64 { return in.size }

func (in *intake) close() {
	in.whole.Call("close")
	in.stop()
}

// take reads a few bytes into Go: a header.
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

// fill reads the single response's next bytes into buffer[at:n], or drops them.
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
		return fmt.Errorf("the connection broke off, and this server sends files only from their start: go on to try again; finished parts of %s stay but come over the network once more", path.Base(in.url))
	}
	return nil
}
