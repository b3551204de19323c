//go:build js && wasm

package database

import (
	"context"
	"sync"
	"syscall/js"

	"github.com/hack-pad/go-indexeddb/idb"
)

// Connection is a database that stays open. Package idb keeps a listener for every database
// that it has opened, also after it was closed, so a page must not open one for every use.
type Connection struct {
	Name    string
	Version uint
	Upgrade idb.Upgrader // creates the object stores, or changes them to Version
	// Blocked, which may be nil, is called with true if another tab keeps the database from
	// being opened, and with false when it goes on.
	Blocked func(bool)

	mu sync.Mutex
	db *idb.Database
}

// Open opens the database, if it is not open.
func (c *Connection) Open(ctx context.Context) (err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.db == nil {
		c.db, err = c.open(ctx)
	}
	return err
}

// Begin begins a transaction. If the database was closed below the connection, because the
// site's data was deleted, or a newer version of the page wanted it, Begin opens it again.
func (c *Connection) Begin(ctx context.Context, o idb.TransactionOptions, stores ...string) (*idb.Transaction, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.db != nil {
		t, err := c.db.TransactionWithOptions(o, stores[0], stores[1:]...)
		if !closed(err) {
			return t, err
		}
		c.db = nil
	}
	db, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	c.db = db
	return db.TransactionWithOptions(o, stores[0], stores[1:]...)
}

// Within runs f in a transaction on object stores, which f gets in the order of their names. A
// transaction that writes is over when its changes are stored. If f fails, there are none.
func (c *Connection) Within(ctx context.Context, mode idb.TransactionMode, names []string, f func(stores []*idb.ObjectStore) error) error {
	t, err := c.Begin(ctx, idb.TransactionOptions{Mode: mode}, names...)
	if err != nil {
		return err
	}
	var stores []*idb.ObjectStore
	for _, name := range names {
		s, err := t.ObjectStore(name)
		if err != nil {
			return err
		}
		stores = append(stores, s)
	}
	if err := f(stores); err != nil {
		_ = t.Abort()
		return err
	}
	if mode == idb.TransactionReadOnly {
		return nil
	}
	return t.Await(ctx)
}

// Get returns what is stored under a key; undefined if nothing is.
func Get(ctx context.Context, store *idb.ObjectStore, key js.Value) (js.Value, error) {
	request, err := store.Get(key)
	if err != nil {
		return js.Undefined(), err
	}
	return request.Await(ctx)
}

// Keys returns all keys that something is stored under.
func Keys(ctx context.Context, store *idb.ObjectStore) ([]js.Value, error) {
	request, err := store.GetAllKeys()
	if err != nil {
		return nil, err
	}
	return request.Await(ctx)
}
