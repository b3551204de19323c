//go:build js && wasm

package worker

import (
	"context"
	"fmt"
	"net/url"
	"syscall/js"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
)

// plan finds out what entries of the catalogue, with what they need, or a link consist of.
func (l *library) plan(ctx context.Context, b protocol.Plan) ([]store.Record, error) {
	c := l.catalogue
	if b.Base != "" {
		c.Base = b.Base
	}
	if len(b.Records) == 0 {
		where, err := loader.FindLink(b.Link, c.Base, func(address string) ([]byte, error) {
			allow(address)
			return store.Text(ctx, address)
		})
		if err != nil {
			return nil, err
		}
		r, err := prepare(ctx, where, store.ForLink(where))
		if err != nil {
			return nil, err
		}
		l.remember(r)
		r.Query = "" // no secret of a link goes to the page
		return []store.Record{r}, nil
	}
	var list []store.Record
	for _, id := range b.Records {
		if _, ok := c.Entry(id); !ok {
			return nil, fmt.Errorf("the catalogue has no %q any more: reload the page", id)
		}
	}
	for _, e := range c.With(b.Records...) {
		if r, err := l.store.Record(ctx, e.ID); err == nil && r.Complete {
			continue
		}
		where, err := c.Link(e)
		if err != nil {
			return nil, err
		}
		r, err := prepare(ctx, where, store.Record{ID: e.ID, Kind: e.Kind, Name: e.Name, Licence: e.Licence, Needs: e.Needs, Source: where.URL("")})
		if err != nil {
			return nil, err
		}
		if e.SHA256 != "" && len(r.Files) == 1 {
			r.Files[0].SHA256 = e.SHA256
		}
		l.remember(r)
		list = append(list, r)
	}
	return list, nil
}

// prepare asks the server that has the weights what they consist of.
func prepare(ctx context.Context, where loader.Link, r store.Record) (store.Record, error) {
	allow(where.Base)
	return store.Prepare(ctx, where, r)
}

// remember keeps a plan for the download that may follow.
func (l *library) remember(r store.Record) {
	l.mu.Lock()
	l.planned[r.ID] = r
	l.mu.Unlock()
}

// allow lets this worker fetch from a server that the visitor chose. web/js/guard.js says why that is needed.
func allow(address string) {
	if u, err := url.Parse(address); err == nil {
		js.Global().Call("impromptAllow", u.Scheme+"://"+u.Host)
	}
}
