//go:build js && wasm

package worker

import (
	"context"
	"fmt"
	"net/url"
	"syscall/js"

	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
)

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
		r, err := prepare(ctx, where, store.ForLink(where))
		if err != nil {
			return err
		}
		l.remember(r)
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
		r, err := prepare(ctx, where, store.Record{ID: e.ID, Kind: e.Kind, Name: e.Name, Licence: e.Licence, Needs: e.Needs, Source: where.URL("")})
		if err != nil {
			return err
		}
		if e.SHA256 != "" && len(r.Files) == 1 && r.Files[0].Stored == 0 {
			r.Files[0].SHA256 = e.SHA256
		}
		l.remember(r)
		list = append(list, r)
	}
	post("planned", map[string]any{"id": id, "records": asJSON(list)})
	return nil
}

// prepare asks where the weights lie what they consist of.
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

// allow lets this worker fetch from where the visitor asked to; guard.js says why.
func allow(address string) {
	if u, err := url.Parse(address); err == nil {
		js.Global().Call("impromptAllow", u.Scheme+"://"+u.Host)
	}
}
