package draftstore

import (
	"context"
	"fmt"
	"strings"
	"syscall/js"

	"github.com/hack-pad/go-indexeddb/idb"

	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/ui/blobs"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader/store/database"
)

const (
	name  = "imprompt-drafts"
	files = "files"
)

// Store is the drafts of one place.
type Store struct {
	place string
	db    database.Connection
}

var _ state.Drafts = &Store{}

func at(place string) *Store {
	return &Store{place, database.Connection{Name: name, Version: 1, Upgrade: func(db *idb.Database, _, _ uint) error {
		_, err := db.CreateObjectStore(files, idb.ObjectStoreOptions{})
		return err
	}}}
}

// How long a tab waits for its own place, in milliseconds. After a reload the page before is on its way out, which may
// take a while on a busy machine. A tab that was duplicated waits in vain for the place of the other.
const (
	patience       = 1_000
	reloadPatience = 20_000
)

// Open finds a place for this tab. It may take seconds.
func Open() *Store {
	session, own := js.Global().Get("sessionStorage"), ""
	if v := session.Call("getItem", name); v.Truthy() {
		own = v.String()
		wait := patience
		if entries := js.Global().Get("performance").Call("getEntriesByType", "navigation"); entries.Length() > 0 && entries.Index(0).Get("type").String() == "reload" {
			wait = reloadPatience
		}
		if hold(own, map[string]any{"signal": js.Global().Get("AbortSignal").Call("timeout", wait)}) {
			return at(own)
		}
	}
	for i := 1; ; i++ {
		place := fmt.Sprint(i)
		if place != own && hold(place, map[string]any{"ifAvailable": true}) {
			session.Call("setItem", name, place)
			return at(place)
		}
	}
}

// hold takes the lock of a place for as long as the page lives, and reports whether it got it. Without locks, all tabs
// share one place.
func hold(place string, options map[string]any) bool {
	locks := js.Global().Get("navigator").Get("locks")
	if !locks.Truthy() {
		return true
	}
	answer := make(chan bool, 2)
	held := js.FuncOf(func(_ js.Value, args []js.Value) any {
		if !args[0].Truthy() {
			answer <- false
			return nil
		}
		answer <- true
		return js.Global().Get("Promise").New(js.FuncOf(func(js.Value, []js.Value) any { return nil })) // never settled
	})
	request := locks.Call("request", name+"-"+place, options, held)
	go func() {
		if _, err := webapi.Await(context.Background(), request); err != nil {
			answer <- false // it timed out
		}
	}()
	return <-answer
}

// Text implements state.Drafts.
func (s *Store) Text() string {
	if v := js.Global().Get("localStorage").Call("getItem", name+"-"+s.place); v.Type() == js.TypeString {
		return v.String()
	}
	return ""
}

// SetText implements state.Drafts.
func (s *Store) SetText(text string) (err error) {
	defer func() {
		if r := recover(); r != nil { // the browser's quota
			err = fmt.Errorf("%v", r)
		}
	}()
	js.Global().Get("localStorage").Call("setItem", name+"-"+s.place, text)
	return nil
}

// within runs f in a transaction, and waits until its changes are stored.
func (s *Store) within(mode idb.TransactionMode, f func(ctx context.Context, store *idb.ObjectStore) error) error {
	ctx := context.Background()
	return s.db.Within(ctx, mode, []string{files}, func(stores []*idb.ObjectStore) error { return f(ctx, stores[0]) })
}

// File implements state.Drafts.
func (s *Store) File(id string) (any, error) {
	var blob js.Value
	err := s.within(idb.TransactionReadOnly, func(ctx context.Context, store *idb.ObjectStore) (err error) {
		blob, err = database.Get(ctx, store, js.ValueOf(s.key(id)))
		return err
	})
	if err != nil || !blob.Truthy() {
		return nil, err
	}
	return blobs.Bytes(blob)
}

// SetFiles implements state.Drafts.
func (s *Store) SetFiles(list map[string]any) error {
	return s.within(idb.TransactionReadWrite, func(ctx context.Context, store *idb.ObjectStore) error {
		stored, err := database.Keys(ctx, store)
		if err != nil {
			return err
		}
		here := map[string]bool{}
		for _, k := range stored {
			id, ours := strings.CutPrefix(k.String(), s.key(""))
			if here[id] = ours; ours && list[id] == nil {
				if _, err := store.Delete(k); err != nil {
					return err
				}
			}
		}
		for id, bytes := range list {
			if !here[id] && bytes != nil {
				if _, err := store.PutKey(js.ValueOf(s.key(id)), blobs.New(bytes, "")); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (s *Store) key(id string) string { return s.place + "/" + id }
