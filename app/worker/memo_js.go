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
	txn, err := m.db.Begin(ctx, idb.TransactionOptions{Mode: mode}, memos)
	if err != nil {
		return err
	}
	s, err := txn.ObjectStore(memos)
	if err != nil {
		return err
	}
	return f(s)
}

func (m *memo) key(key string) js.Value {
	return js.ValueOf(js.Global().Get("navigator").Get("userAgent").String() + "; " + key)
}

// Recall implements engine.Memo.
func (m *memo) Recall(ctx context.Context, key string) (text string, err error) {
	err = m.within(ctx, idb.TransactionReadOnly, func(s *idb.ObjectStore) error {
		request, err := s.Get(m.key(key))
		if err != nil {
			return err
		}
		v, err := request.Await(ctx)
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
		request, err := s.PutKey(m.key(key), js.ValueOf(text))
		if err != nil {
			return err
		}
		_, err = request.Await(ctx)
		return err
	})
}
