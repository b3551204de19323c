//go:build js && wasm

package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"syscall/js"

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
