//go:build js && wasm

package worker

import (
	"context"
	"syscall/js"

	"github.com/hack-pad/go-indexeddb/idb"

	"github.com/imprompt/imprompt/loader/store/database"
)

// memo is the engine's Memo in IndexedDB, for each version of the browser.
type memo struct{ db database.Connection }

const memos = "texts"

func newMemo() *memo {
	return &memo{database.Connection{Name: "imprompt-memo", Version: 1, Upgrade: func(db *idb.Database, _, _ uint) error {
		_, err := db.CreateObjectStore(memos, idb.ObjectStoreOptions{})
		return err
	}}}
}

// within runs f on the object store.
func (m *memo) within(ctx context.Context, mode idb.TransactionMode, f func(s *idb.ObjectStore) error) error {
	return m.db.Within(ctx, mode, []string{memos}, func(stores []*idb.ObjectStore) error { return f(stores[0]) })
}

func (m *memo) key(key string) js.Value {
	return js.ValueOf(js.Global().Get("navigator").Get("userAgent").String() + "; " + key)
}

// Recall implements engine.Memo.
func (m *memo) Recall(ctx context.Context, key string) (text string, err error) {
	err = m.within(ctx, idb.TransactionReadOnly, func(s *idb.ObjectStore) error {
		v, err := database.Get(ctx, s, m.key(key))
		if err == nil && v.Type() == js.TypeString {
			text = v.String()
		}
		return err
	})
	return text, err
}

// Remember implements engine.Memo.
func (m *memo) Remember(ctx context.Context, key, text string) error {
	return m.within(ctx, idb.TransactionReadWrite, func(s *idb.ObjectStore) error {
		_, err := s.PutKey(m.key(key), js.ValueOf(text))
		return err
	})
}
