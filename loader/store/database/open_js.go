//go:build js && wasm

package database

import (
	"context"
	"errors"
	"fmt"
	"syscall/js"
	"time"

	"github.com/hack-pad/go-indexeddb/idb"
)

// patience is how long a database may take to open before another tab is blamed.
const patience = 2 * time.Second

// open opens the database, and creates or upgrades it where it is new or old. ctx does not end it, because a
// request of package idb that is given up creates the database without its object stores.
func (c *Connection) open(ctx context.Context) (*idb.Database, error) {
	ctx = context.WithoutCancel(ctx)
	db, err := c.request(ctx)
	if err != nil {
		return nil, err
	}
	// Earlier versions of this page could leave such a database. There is nothing in it.
	if names, err := db.ObjectStoreNames(); err != nil || len(names) > 0 {
		return db, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	deleting, err := idb.Global().DeleteDatabase(c.Name)
	if err != nil {
		return nil, explain(err)
	}
	if err := deleting.Await(ctx); err != nil {
		return nil, explain(err)
	}
	return c.request(ctx)
}

func (c *Connection) request(ctx context.Context) (*idb.Database, error) {
	request, err := idb.Global().Open(ctx, c.Name, c.Version, c.Upgrade)
	if err != nil {
		return nil, explain(err)
	}
	if c.Blocked != nil {
		opened := make(chan struct{})
		defer close(opened)
		go func() {
			select {
			case <-opened:
			case <-time.After(patience):
				c.Blocked(true)
				<-opened
				c.Blocked(false)
			}
		}()
	}
	db, err := request.Await(ctx)
	if err != nil {
		return nil, explain(err)
	}
	return db, nil
}

func explain(err error) error {
	if named(err, "VersionError") {
		return ErrNewer
	}
	return fmt.Errorf("this browser stores no data for this page (%w): leave private browsing, or allow the site to store data", err)
}

// closed says whether an error is that of a database that was closed below its user: a
// newer version of the page wants it, or the site's data was deleted. It may be opened
// again.
func closed(err error) bool { return named(err, "InvalidStateError") }

// named says whether an error is a DOMException of a name: as idb gives it, or, of calls
// that fail at once, as JavaScript does.
func named(err error, name string) bool {
	var e js.Error
	return errors.Is(err, idb.NewDOMException(name)) || errors.As(err, &e) && e.Get("name").String() == name
}
