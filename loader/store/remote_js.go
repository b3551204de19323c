//go:build js && wasm

package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall/js"
	"time"

	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
)

func glue() js.Value { return js.Global().Get("impromptLoader") }

// signal returns an AbortSignal that follows a context. The function has to be called at the
// end.
func signal(ctx context.Context) (js.Value, func()) {
	controller := js.Global().Get("AbortController").New()
	stop := context.AfterFunc(ctx, func() { controller.Call("abort") })
	return controller.Get("signal"), func() { stop() }
}

// answerOf reads what web/js/loader.js says of a response.
func answerOf(r js.Value) loader.Answer {
	a := loader.Answer{Status: r.Get("status").Int(), Headers: map[string]string{}}
	if failed := r.Get("failed"); failed.Type() == js.TypeString {
		a.Failed = failed.String()
	}
	if address := r.Get("url"); address.Type() == js.TypeString {
		a.URL = address.String()
	}
	if headers := r.Get("headers"); headers.Type() == js.TypeObject {
		for _, name := range loader.AnswerHeaders {
			if v := headers.Get(name); v.Type() == js.TypeString {
				a.Headers[name] = v.String()
			}
		}
	}
	return a
}

// ask makes one request: of bytes [from, to), or with to < 0 of the whole file. The
// response must be closed, also after an error.
func ask(ctx context.Context, method, address string, from, to int64) (response js.Value, a loader.Answer, closed func(), err error) {
	s, stop := signal(ctx)
	d := glue().Call("download", address, from, to, s, method)
	closed = func() {
		d.Call("close")
		stop()
	}
	// The signal ends this promise, so it need not be left behind.
	r, err := webapi.Await(context.WithoutCancel(ctx), d.Call("open"))
	if err != nil {
		return d, a, closed, err
	}
	a = answerOf(r)
	return d, a, closed, a.Check(address)
}

// offlineText is what is shown while there is no network.
const offlineText = "There is no network: the download goes on by itself when it is back"

// pause waits before another attempt, shows how long, and waits for the network where
// there is none.
func pause(ctx context.Context, err error, wait time.Duration, note func(string)) error {
	defer note("")
	until := time.Now().Add(wait)
	for {
		left := time.Until(until)
		offline := glue().Call("offline").Bool()
		switch {
		case offline:
			note(offlineText)
			left = time.Minute
		case left <= 0:
			return nil
		case wait > time.Second:
			note(waitText(err, left))
		}
		back, e := webapi.Await(ctx, glue().Call("online", min(left, time.Second).Milliseconds()+1))
		if e != nil {
			return e
		}
		if offline && back.Bool() {
			return nil
		}
	}
}

// remote is a file of a server.
type remote struct {
	url    string
	tag    loader.Tag
	size   int64
	sha256 string // of the whole file, if the server states it
	ranged bool
	note   func(string) // told what is waited for; "" when it goes on

	// another is asked when an answer has a tag that no answer had before: nil if it is of
	// the same bytes all the same.
	another func(ctx context.Context) error
	mu      sync.Mutex
	known   map[string]bool // tags
	answers int             // that gave bytes
}

// probe asks for the first byte: is the file there, may it be read in ranges, how large
// is it. reached says that the server was there before, so that it is waited for.
func probe(ctx context.Context, address string, reached bool, note func(string)) (*remote, error) {
	p := patience{reached: reached, most: 4}
	for {
		f, err := probeOnce(ctx, address, note)
		if err == nil {
			return f, nil
		}
		wait, last := p.next(err, time.Now())
		if last != nil {
			return nil, last
		}
		if e := pause(ctx, err, wait, note); e != nil {
			return nil, e
		}
	}
}

func probeOnce(ctx context.Context, address string, note func(string)) (*remote, error) {
	_, a, closed, err := ask(ctx, "GET", address, 0, 1)
	closed()
	if errors.Is(err, loader.ErrChanged) {
		return nil, fmt.Errorf("%s is empty", loader.NameOf(address)) // it has no first byte
	}
	var t loader.Transient
	if errors.As(err, &t) && t.Unreachable {
		// A browser asks for parts as they are, and hands out nothing where they come
		// compressed all the same. What the server does with the whole tells.
		_, head, closed, e := ask(ctx, "HEAD", address, 0, -1)
		closed()
		if e == nil && head.Encoding() != "" {
			head.Status = 206
			err = head.Check(address)
		}
	}
	if err != nil {
		return nil, err
	}
	f := &remote{url: address, tag: a.Tag(), size: a.Total(), sha256: a.SHA256(), ranged: a.Status == 206, note: note, known: map[string]bool{a.Tag().Text: true}}
	if f.size < 0 {
		// A page may not read Content-Range everywhere. Content-Length it may, but what a
		// refusal has is no file's length.
		for _, method := range []string{"HEAD", "GET"} {
			_, a, closed, err := ask(ctx, method, address, 0, -1)
			closed()
			if err == nil && a.Status == 200 && a.Length() >= 0 {
				f.size = a.Length()
				break
			}
			var t loader.Transient
			if errors.As(err, &t) && method == "GET" {
				return nil, err
			}
		}
	}
	if f.size < 0 {
		how := "does not say how large it is"
		if e := a.Encoding(); e != "" {
			how = fmt.Sprintf("compresses it (content-encoding: %s) and does not say how large it is", e)
		}
		return nil, fmt.Errorf("%s cannot be downloaded here, because %s %s: download it in your browser, and use the file", loader.NameOf(address), loader.HostOf(address), how)
	}
	if _, _, _, told := a.Range(); f.ranged && !told {
		return f, f.checkOffsets(ctx)
	}
	return f, nil
}

// checkOffsets makes sure that a server whose Content-Range a page may not read sends the
// parts that it is asked for: two that overlap must agree.
func (f *remote) checkOffsets(ctx context.Context) error {
	const length, shift = 512, 197
	for _, from := range []int64{0, f.size/2 - length/2} {
		if from < 0 || from+shift+length > f.size {
			continue
		}
		var parts [2][]byte
		for i, at := range []int64{from, from + shift} {
			b, err := f.readChecked(ctx, at, at+length, func(int64) {}, func(loader.Answer) error { return nil })
			if err != nil {
				return err
			}
			parts[i] = webapi.GoBytes(b)
		}
		if string(parts[0][shift:]) != string(parts[1][:length-shift]) {
			f.ranged = false // it is read whole, in order
			return nil
		}
	}
	return nil
}

// check compares an answer with the file that was begun.
func (f *remote) check(ctx context.Context, a loader.Answer) error {
	if total := a.Total(); total >= 0 && total != f.size {
		return loader.ErrChanged
	}
	tag := a.Tag().Text
	f.mu.Lock()
	defer f.mu.Unlock()
	if tag == "" || f.known[tag] {
		return nil
	}
	// Servers behind one address may name the same bytes differently.
	if f.another != nil {
		if err := f.another(ctx); err != nil {
			return err
		}
	} else if f.tag.Text != "" {
		return loader.ErrChanged
	}
	f.known[tag] = true
	return nil
}

// read fetches bytes [from, to) into a new Uint8Array. After a lost connection it continues where
// it stopped.
func (f *remote) read(ctx context.Context, from, to int64, count func(n int64)) (js.Value, error) {
	return f.readChecked(ctx, from, to, count, func(a loader.Answer) error { return f.check(ctx, a) })
}

func (f *remote) readChecked(ctx context.Context, from, to int64, count func(n int64), check func(loader.Answer) error) (js.Value, error) {
	buffer := js.Global().Get("Uint8Array").New(to - from)
	counter := js.FuncOf(func(_ js.Value, args []js.Value) any { count(int64(args[0].Int())); return nil })
	defer counter.Release()
	at := int64(0)
	p := patience{reached: true}
	for {
		before := at
		err := func() error {
			d, a, closed, err := ask(ctx, "GET", f.url, from+at, to)
			defer closed()
			if err != nil {
				return err
			}
			if err := check(a); err != nil {
				return err
			}
			if err := a.CheckPart(f.url, from+at, to, f.size); err != nil {
				return err
			}
			// Nothing may call counter after this function.
			v, err := webapi.Await(context.WithoutCancel(ctx), d.Call("fill", buffer, at, to-from, counter))
			if err != nil {
				return err
			}
			at = int64(v.Float())
			if at > before {
				f.answers++
			}
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case at == to-from:
				return nil
			case d.Get("stalled").Bool():
				return loader.Answer{Failed: loader.Stalled}.Check(f.url)
			}
			return loader.Broken(fmt.Errorf("the connection broke off at byte %d of %d of %s: go on when the network is back. What is stored stays", from+at, f.size, loader.NameOf(f.url)))
		}()
		if err == nil {
			return buffer, nil
		}
		p.gained(at - before)
		wait, last := p.next(err, time.Now())
		if last != nil {
			return buffer, last
		}
		if e := pause(ctx, err, wait, f.note); e != nil {
			return buffer, e
		}
	}
}
