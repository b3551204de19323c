//go:build js && wasm && !cli

package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"syscall/js"
	"time"

	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
)

// The library is a second worker of the same program, named "library": it downloads,
// deletes and verifies models. So a download takes nothing from a drawing, and goes on
// when the engine is busy or its GPU is lost.
//
// Messages to it: library; plan {id, base} or plan {id: "link", link, base}; download {id}; pause
// {id}; delete {id}; verify {id}; tidy; import {file: File}; keep {handle:
// FileSystemFileHandle}. From it: library {library (JSON of store.Library), catalogue
// (JSON), handles {id: FileSystemFileHandle}}; planned {id, records (JSON)}; progress
// {id, task: download or verify, progress (JSON of store.Progress), speed (bytes a
// second), left (seconds)}; finished {id, task}; problem {id, task, message}. What is done
// to an id runs beside all else.
type library struct {
	store     *store.Store
	catalogue loader.Catalogue
	text      string // the catalogue's JSON
	changed   js.Value

	mu      sync.Mutex
	planned map[string]store.Record
	running map[string]context.CancelFunc
	turn    chan struct{} // downloads come one after another: their slices fill the memory
}

// serveLibrary answers messages for as long as the worker lives.
func serveLibrary() {
	l := &library{planned: map[string]store.Record{}, running: map[string]context.CancelFunc{}, turn: make(chan struct{}, 1)}
	requests := make(chan js.Value, 16)
	js.Global().Set("onmessage", js.FuncOf(func(_ js.Value, args []js.Value) any {
		m := args[0].Get("data")
		go func() { requests <- m }()
		return nil
	}))
	ctx := context.Background()
	if err := l.open(ctx); err != nil {
		post("problem", map[string]any{"id": "", "task": "open", "message": err.Error()})
	}
	for m := range requests {
		if l.store == nil { // it could not start: once more
			if err := l.open(ctx); err != nil {
				post("problem", map[string]any{"id": m.Get("id"), "task": m.Get("type"), "message": err.Error()})
				continue
			}
		}
		go l.handle(ctx, m)
	}
}

// open opens the store, and tells the page what is in it.
func (l *library) open(ctx context.Context) error {
	text, err := loader.ReadFile(ctx, loader.Origin(base()), "catalogue.json")
	if err != nil {
		return err
	}
	l.text = string(text)
	if l.catalogue, err = loader.ParseCatalogue(text); err != nil {
		return err
	}
	if l.store, err = store.Open(ctx); err != nil {
		return err
	}
	// Other tabs tell when they changed something.
	l.changed = js.Global().Get("BroadcastChannel").New("imprompt-models")
	l.changed.Set("onmessage", js.FuncOf(func(js.Value, []js.Value) any {
		go l.show(ctx)
		return nil
	}))
	l.show(ctx)
	return nil
}

// show tells the page what is stored.
func (l *library) show(ctx context.Context) {
	all, err := l.store.Library(ctx)
	if err != nil {
		post("problem", map[string]any{"id": "", "task": "list", "message": err.Error()})
		return
	}
	handles := map[string]any{}
	for _, r := range all.Items {
		if r.Handle {
			if h, err := l.store.Handle(ctx, r.ID); err == nil {
				handles[r.ID] = h
			}
		}
	}
	post("library", map[string]any{"library": asJSON(all), "catalogue": l.text, "handles": handles})
}

// tell tells the page, and the other tabs' pages, that something has changed.
func (l *library) tell(ctx context.Context) {
	l.changed.Call("postMessage", "changed")
	l.show(ctx)
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return string(b)
}

func (l *library) handle(ctx context.Context, m js.Value) {
	text := func(name string) string {
		if v := m.Get(name); v.Type() == js.TypeString {
			return v.String()
		}
		return ""
	}
	task, id := text("type"), text("id")
	var err error
	switch task {
	case "library":
		l.show(ctx)
		return
	case "plan":
		err = l.plan(ctx, id, text("link"), text("base"))
	case "download", "verify":
		err = l.run(ctx, task, id)
	case "import":
		id, err = l.store.Import(ctx, m.Get("file"), l.reporter("import"))
	case "keep":
		id, err = l.store.KeepFile(ctx, m.Get("handle"))
	case "delete":
		err = l.store.DeleteRecord(ctx, id)
	case "tidy":
		err = l.store.DeleteLeftOver(ctx)
	case "pause":
		l.mu.Lock()
		if cancel := l.running[id]; cancel != nil {
			cancel()
		}
		l.mu.Unlock()
		return
	}
	if task != "plan" {
		l.tell(ctx)
	}
	switch {
	case errors.Is(err, context.Canceled):
		post("finished", map[string]any{"id": id, "task": "pause"})
	case err != nil:
		post("problem", map[string]any{"id": id, "task": task, "message": err.Error()})
	case task != "plan":
		post("finished", map[string]any{"id": id, "task": task})
	}
}

// plan finds what an entry of the catalogue, or a link, and what it needs consist of.
func (l *library) plan(ctx context.Context, id, link, hub string) error {
	c := l.catalogue
	if hub != "" {
		c.Base = hub
	}
	if id == "link" {
		where, err := loader.ParseLink(link, c.Base)
		if err != nil {
			return err
		}
		r, err := l.prepare(ctx, where, store.ForLink(where))
		if err != nil {
			return err
		}
		post("planned", map[string]any{"id": id, "records": asJSON([]store.Record{r})})
		return nil
	}
	var list []store.Record
	for next := id; next != ""; {
		e, ok := c.Entry(next)
		if !ok {
			return fmt.Errorf("the catalogue has no %q any more: reload the page", next)
		}
		next = e.Needs
		if r, err := l.store.Record(ctx, e.ID); err == nil && r.Complete {
			continue
		}
		where, err := c.Link(e)
		if err != nil {
			return err
		}
		r, err := l.prepare(ctx, where, store.Record{ID: e.ID, Kind: e.Kind, Name: e.Name, Licence: e.Licence, Needs: e.Needs, Source: where.URL("")})
		if err != nil {
			return err
		}
		if e.SHA256 != "" && len(r.Files) == 1 && r.Files[0].Stored == 0 {
			r.Files[0].SHA256 = e.SHA256
		}
		l.mu.Lock()
		l.planned[r.ID] = r
		l.mu.Unlock()
		list = append(list, r)
	}
	post("planned", map[string]any{"id": id, "records": asJSON(list)})
	return nil
}

func (l *library) prepare(ctx context.Context, where loader.Link, r store.Record) (store.Record, error) {
	allow(where.Base)
	r, err := store.Prepare(ctx, where, r)
	if err != nil {
		return r, err
	}
	l.mu.Lock()
	l.planned[r.ID] = r
	l.mu.Unlock()
	return r, nil
}

// allow lets this worker fetch from where the visitor asked to; guard.js says why.
func allow(address string) {
	if u, err := url.Parse(address); err == nil {
		js.Global().Call("impromptAllow", u.Scheme+"://"+u.Host)
	}
}

// run downloads or verifies a record, until it is done or paused.
func (l *library) run(ctx context.Context, task, id string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l.mu.Lock()
	_, busy := l.running[id]
	if !busy {
		l.running[id] = cancel
	}
	r, planned := l.planned[id]
	l.mu.Unlock()
	if busy {
		return nil
	}
	defer func() {
		l.mu.Lock()
		delete(l.running, id)
		l.mu.Unlock()
	}()
	report := l.reporter(task)
	if task == "verify" {
		return l.store.VerifyRecord(ctx, id, func(done, total int64) { report(id, store.Progress{Done: done, Total: total}) })
	}
	select {
	case l.turn <- struct{}{}:
	default:
		report(id, store.Progress{Queued: true, Total: r.Bytes()})
		select {
		case l.turn <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	defer func() { <-l.turn }()
	// A download that was begun goes on as it was begun, whatever was planned since.
	if old, err := l.store.Record(ctx, id); err == nil {
		if old.Complete {
			return nil
		}
		if !planned {
			r, planned = old, true
		}
	}
	if !planned {
		return fmt.Errorf("%s is not known here: choose it again", id)
	}
	for _, f := range r.Files {
		allow(f.URL)
	}
	return l.store.Fetch(ctx, r, func() { l.tell(ctx) }, func(p store.Progress) { report(id, p) })
}

// reporter posts progress a few times a second, with the speed of the last seconds.
func (l *library) reporter(task string) func(id string, p store.Progress) {
	type sample struct {
		at   time.Time
		done int64
	}
	var seen []sample
	return func(id string, p store.Progress) {
		now := time.Now()
		if n := len(seen); n > 0 && now.Sub(seen[n-1].at) < 250*time.Millisecond && p.Done < p.Total && !p.Waiting {
			return
		}
		if n := len(seen); n > 0 && p.Done < seen[n-1].done {
			seen = nil // begun anew
		}
		seen = append(seen, sample{now, p.Done})
		for len(seen) > 2 && now.Sub(seen[0].at) > 8*time.Second {
			seen = seen[1:]
		}
		speed, left := 0.0, 0.0
		if t := now.Sub(seen[0].at).Seconds(); t > 0 {
			speed = float64(p.Done-seen[0].done) / t
		}
		if speed > 0 {
			left = float64(p.Total-p.Done) / speed
		}
		post("progress", map[string]any{"id": id, "task": task, "progress": asJSON(p), "speed": speed, "left": left})
	}
}
