//go:build js && wasm && !cli

package ui

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"syscall/js"

	"github.com/hack-pad/go-indexeddb/idb"
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/gpu"
)

// The gallery's store: records {png}, in the order they were made. A picture carries
// its settings itself.
const (
	galleryDB    = "imprompt-gallery"
	galleryStore = "pictures"
)

func openDB(ctx context.Context) (*idb.Database, error) {
	request, err := idb.Global().Open(ctx, galleryDB, 1, func(db *idb.Database, _, _ uint) error {
		_, err := db.CreateObjectStore(galleryStore, idb.ObjectStoreOptions{AutoIncrement: true})
		return err
	})
	if err != nil {
		return nil, err
	}
	return request.Await(ctx)
}

// openGallery shows the pictures of earlier visits, the latest first.
func (p *page) openGallery() {
	ctx := context.Background()
	db, err := openDB(ctx)
	if err != nil {
		return // private windows have no store: the gallery then lasts as long as the page
	}
	defer db.Close()
	txn, err := db.Transaction(idb.TransactionReadOnly, galleryStore)
	if err != nil {
		return
	}
	s, err := txn.ObjectStore(galleryStore)
	if err != nil {
		return
	}
	cursor, err := s.OpenCursor(idb.CursorPrevious)
	if err != nil {
		return
	}
	var list []*result
	_ = cursor.Iter(ctx, func(c *idb.CursorWithValue) error {
		key, err := c.Key()
		if err != nil {
			return err
		}
		value, err := c.Value()
		if err != nil {
			return err
		}
		r := &result{key: key.Int(), png: gpu.GoBytes(value.Get("png"))}
		r.settings, _ = settings.ReadPNG(bytes.NewReader(r.png)) // a picture without settings is shown all the same
		r.url = objectURL(r.png, "image/png")
		list = append(list, r)
		return nil
	})
	p.ctx.Dispatch(func(app.Context) { p.gallery = append(p.gallery, list...) })
}

// store keeps a result.
func store(r *result) {
	ctx := context.Background()
	db, err := openDB(ctx)
	if err != nil {
		return
	}
	defer db.Close()
	txn, err := db.Transaction(idb.TransactionReadWrite, galleryStore)
	if err != nil {
		return
	}
	s, err := txn.ObjectStore(galleryStore)
	if err != nil {
		return
	}
	if _, err := s.Add(js.ValueOf(map[string]any{"png": gpu.BytesOf(r.png)})); err != nil {
		return
	}
	// The key, so that it can be deleted: the last one there is.
	if keys, err := s.GetAllKeys(); err == nil {
		if list, err := keys.Await(ctx); err == nil && len(list) > 0 {
			r.key = list[len(list)-1].Int()
		}
	}
}

// remove deletes a result from the gallery and its store.
func (p *page) remove(r *result) {
	for i, o := range p.gallery {
		if o == r {
			p.gallery = append(p.gallery[:i:i], p.gallery[i+1:]...)
			break
		}
	}
	if p.shown == r {
		p.shown = nil
	}
	p.ctx.Async(func() {
		ctx := context.Background()
		db, err := openDB(ctx)
		if err != nil || r.key == 0 {
			return
		}
		defer db.Close()
		if txn, err := db.Transaction(idb.TransactionReadWrite, galleryStore); err == nil {
			if s, err := txn.ObjectStore(galleryStore); err == nil {
				if request, err := s.Delete(js.ValueOf(r.key)); err == nil {
					_ = request.Await(ctx)
				}
			}
		}
	})
}

// export saves the whole gallery as a zip of PNGs.
func (p *page) export() {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, r := range p.gallery {
		// Stored: a PNG does not shrink.
		f, err := z.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("imprompt-%04d.png", len(p.gallery)-i), Method: zip.Store})
		if err == nil {
			_, err = f.Write(r.png)
		}
		if err != nil {
			p.problem = "The gallery could not be packed: " + err.Error()
			return
		}
	}
	if err := z.Close(); err != nil {
		p.problem = "The gallery could not be packed: " + err.Error()
		return
	}
	download("imprompt-gallery.zip", b.Bytes(), "application/zip")
}
