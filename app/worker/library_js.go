//go:build js && wasm

package worker

import (
	"context"
	"fmt"
	"sync"
	"syscall/js"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
	"github.com/imprompt/imprompt/loader/store/database"
	"github.com/imprompt/imprompt/web"
)

// library answers requests about what is stored. They run side by side, but what is done to one record is done in
// turn, and so are downloads.
type library struct {
	desk *protocol.Desk

	opening   sync.Mutex
	store     *store.Store
	catalogue loader.Catalogue
	changed   js.Value // the channel to other tabs

	mu        sync.Mutex
	planned   map[string]store.Record
	records   map[string]turn // one for each record
	downloads turn            // their slices fill the memory, so they come one after another
}

// turn lets one at a time through.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

// take waits for the turn, unless ctx is done before.
func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) give() { <-t }

func serveLibrary() {
	l := &library{desk: newDesk(), planned: map[string]store.Record{}, records: map[string]turn{}, downloads: newTurn()}
	started()
	l.desk.Explain = func(err error) protocol.Body { return failed(err) }
	ctx := context.Background()
	if err := l.open(ctx); err != nil {
		l.desk.Answer(0, failed(err))
	}
	l.desk.ServeTogether(ctx, l.do)
}

// open opens the store and tells the page what is in it, unless it is open.
func (l *library) open(ctx context.Context) error {
	l.opening.Lock()
	defer l.opening.Unlock()
	if l.store != nil {
		return nil
	}
	text, err := loader.ReadFile(ctx, shipped(""), "catalogue.json")
	if err != nil {
		return err
	}
	if l.catalogue, err = loader.ParseCatalogue(text); err != nil {
		return err
	}
	s, err := store.Open(ctx, func(blocked bool) {
		if blocked {
			l.desk.Answer(0, protocol.Failed{Message: database.Blocked})
		}
	})
	if err != nil {
		return err
	}
	s.Reserved = web.Ships.Has
	l.store = s
	// Other tabs say when they have changed something.
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
		l.desk.Answer(0, failed(err))
		return
	}
	handles := map[string]protocol.Value{}
	for _, r := range all.Items {
		if r.Handle {
			if h, err := l.store.Handle(ctx, r.ID); err == nil {
				handles[r.ID] = h
			}
		}
	}
	post(protocol.Message{Body: protocol.Stored{Library: all, Catalogue: l.catalogue}, Beside: handles})
}

// tell tells this page and those of other tabs that something has changed.
func (l *library) tell(ctx context.Context) {
	l.changed.Call("postMessage", "changed")
	l.show(ctx)
}

// do does a request. What it changed is told before the answer.
func (l *library) do(ctx context.Context, m protocol.Message) (protocol.Body, error) {
	if err := l.open(ctx); err != nil {
		return nil, err
	}
	switch b := m.Body.(type) {
	case protocol.List:
		l.show(ctx)
		return protocol.Finished{}, nil
	case protocol.Plan:
		records, err := l.plan(ctx, b)
		return protocol.Planned{Records: records}, err
	}
	record, err := l.change(ctx, m)
	l.tell(context.WithoutCancel(ctx))
	if err != nil {
		return nil, recordError{record, err}
	}
	return protocol.Finished{Record: record}, nil
}

// change does a request that changes what is stored, or may, and returns the record's id.
func (l *library) change(ctx context.Context, m protocol.Message) (record string, err error) {
	switch b := m.Body.(type) {
	case protocol.Download:
		return b.Record, l.inTurn(ctx, b.Record, func() error { return l.download(ctx, m.ID, b.Record) })
	case protocol.Verify:
		report := l.reporter(m.ID)
		return b.Record, l.inTurn(ctx, b.Record, func() error {
			return l.store.VerifyRecord(ctx, b.Record, func(done, total int64) { report(b.Record, store.Progress{Done: done, Total: total}) })
		})
	case protocol.Delete:
		return b.Record, l.inTurn(ctx, b.Record, func() error { return l.store.DeleteRecord(ctx, b.Record) })
	case protocol.Tidy:
		return "", l.store.DeleteLeftOver(ctx)
	case protocol.Import:
		return l.store.Import(ctx, m.Beside["file"].(js.Value), l.reporter(m.ID))
	case protocol.Keep:
		return l.store.KeepFile(ctx, m.Beside["handle"].(js.Value))
	}
	return "", fmt.Errorf("the library does not know the request %q", m.Body.Type())
}

// inTurn does something to a record when nothing else is done to it.
func (l *library) inTurn(ctx context.Context, record string, do func() error) error {
	l.mu.Lock()
	t := l.records[record]
	if t == nil {
		t = newTurn()
		l.records[record] = t
	}
	l.mu.Unlock()
	if err := t.take(ctx); err != nil {
		return err
	}
	defer t.give()
	return do()
}

// download fetches a record, until it is here or the request is cancelled.
func (l *library) download(ctx context.Context, id int, record string) error {
	l.mu.Lock()
	r, known := l.planned[record]
	l.mu.Unlock()
	report := l.reporter(id)
	select {
	case l.downloads <- struct{}{}:
	default:
		report(record, store.Progress{Queued: true, Total: r.Bytes()})
		if err := l.downloads.take(ctx); err != nil {
			return err
		}
	}
	defer l.downloads.give()
	// A download that was begun goes on as it was begun, whatever was planned since.
	if old, err := l.store.Record(ctx, record); err == nil {
		if old.Complete {
			return nil
		}
		if !known {
			r, known = old, true
		}
	}
	if !known {
		return fmt.Errorf("%s is not known here: choose it again", record)
	}
	for _, f := range r.Files {
		allow(f.URL)
	}
	return l.store.Fetch(ctx, r, func() { l.tell(ctx) }, func(p store.Progress) { report(record, p) })
}
