//go:build js && wasm

package ui

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"syscall/js"

	"github.com/hack-pad/go-indexeddb/idb"
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/gpu/webapi"
)

// The gallery's stores: the pictures, in the order they were made, {png: Blob,
// settings: JSON, cost: JSON, label, inputs: {name: hash}}; and what they were made
// from, Blobs by their SHA-256, each kept once.
const (
	galleryDB    = "imprompt-gallery"
	galleryStore = "pictures"
	inputStore   = "inputs"
)

func openDB(ctx context.Context) (*idb.Database, error) {
	request, err := idb.Global().Open(ctx, galleryDB, 2, func(db *idb.Database, before, _ uint) error {
		if before < 1 {
			if _, err := db.CreateObjectStore(galleryStore, idb.ObjectStoreOptions{AutoIncrement: true}); err != nil {
				return err
			}
		}
		_, err := db.CreateObjectStore(inputStore, idb.ObjectStoreOptions{})
		return err
	})
	if err != nil {
		return nil, err
	}
	return request.Await(ctx)
}

// inStore runs f within a transaction on both stores, and waits until it is kept.
func inStore(mode idb.TransactionMode, f func(ctx context.Context, pictures, inputs *idb.ObjectStore) error) error {
	ctx := context.Background()
	db, err := openDB(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	txn, err := db.Transaction(mode, galleryStore, inputStore)
	if err != nil {
		return err
	}
	pictures, err := txn.ObjectStore(galleryStore)
	if err != nil {
		return err
	}
	inputs, err := txn.ObjectStore(inputStore)
	if err != nil {
		return err
	}
	if err := f(ctx, pictures, inputs); err != nil {
		_ = txn.Abort()
		return err
	}
	if mode == idb.TransactionReadOnly {
		return nil
	}
	return txn.Await(ctx)
}

// openGallery shows the pictures of earlier visits, the latest first.
func (p *page) openGallery() {
	var list []*result
	// Private windows have no store: the gallery then lasts as long as the page.
	_ = inStore(idb.TransactionReadOnly, func(ctx context.Context, pictures, _ *idb.ObjectStore) error {
		cursor, err := pictures.OpenCursor(idb.CursorPrevious)
		if err != nil {
			return err
		}
		return cursor.Iter(ctx, func(c *idb.CursorWithValue) error {
			k, err := c.Key()
			if err != nil {
				return err
			}
			v, err := c.Value()
			if err != nil {
				return err
			}
			list = append(list, resultOf(k.Float(), v))
			return nil
		})
	})
	p.ctx.Dispatch(func(app.Context) {
		p.gallery = append(p.gallery, list...)
		p.drawn++
	})
}

func resultOf(k float64, v js.Value) *result {
	r := &result{key: k, inputs: map[string]string{}}
	// An unreadable part is left out: the picture is shown all the same.
	if text := v.Get("settings"); text.Type() == js.TypeString {
		r.settings, _ = settings.FromJSON([]byte(text.String()))
	}
	if text := v.Get("cost"); text.Type() == js.TypeString {
		_ = json.Unmarshal([]byte(text.String()), &r.cost)
	}
	if text := v.Get("label"); text.Type() == js.TypeString {
		r.label = text.String()
	}
	if o := v.Get("inputs"); o.Truthy() {
		names := js.Global().Get("Object").Call("keys", o)
		for i := range names.Length() {
			name := names.Index(i).String()
			r.inputs[name] = o.Get(name).String()
		}
	}
	r.blob = blob(v.Get("png"), "image/png")
	r.url = urlOf(r.blob)
	return r
}

// keep stores a result, and what it was made from. p.keeping counts those under way.
func (p *page) keep(r *result) {
	inputs, hashes := map[string]js.Value{}, map[string]any{}
	var err error
	for name, data := range r.pictures {
		var digest js.Value
		if digest, err = webapi.Await(context.Background(), js.Global().Get("crypto").Get("subtle").Call("digest", "SHA-256", data)); err != nil {
			break
		}
		h := hex.EncodeToString(webapi.GoBytes(js.Global().Get("Uint8Array").New(digest)))
		hashes[name], inputs[h] = h, data
	}
	costs, _ := json.Marshal(r.cost) // numbers only
	// The time, so that later ones come later; two in a millisecond do not happen.
	k := js.Global().Get("Date").Call("now").Float()
	if err == nil {
		err = inStore(idb.TransactionReadWrite, func(_ context.Context, pictures, kept *idb.ObjectStore) error {
			for h, data := range inputs {
				if _, err := kept.PutKey(js.ValueOf(h), blob(data, "")); err != nil {
					return err
				}
			}
			_, err := pictures.AddKey(js.ValueOf(k), js.ValueOf(map[string]any{
				"png": r.blob, "settings": toJSON(r.settings), "cost": string(costs), "label": r.label, "inputs": hashes}))
			return err
		})
	}
	p.ctx.Dispatch(func(app.Context) {
		p.keeping--
		if err != nil {
			p.note = state.Note{Text: "The picture is in the gallery only until the page is closed: the browser could not keep it (" + err.Error() + "). Delete some, or download it."}
			return
		}
		r.key = k
	})
}

// picturesOf are what a result was made from, as Uint8Arrays.
func (p *page) picturesOf(r *result) (map[string]js.Value, error) {
	if r.pictures != nil || len(r.inputs) == 0 {
		return r.pictures, nil
	}
	blobs := map[string]js.Value{}
	err := inStore(idb.TransactionReadOnly, func(ctx context.Context, _, inputs *idb.ObjectStore) error {
		for name, h := range r.inputs {
			request, err := inputs.Get(js.ValueOf(h))
			if err != nil {
				return err
			}
			v, err := request.Await(ctx)
			if err != nil {
				return err
			}
			if !v.Truthy() {
				return errors.New(name + " is not kept any more")
			}
			blobs[name] = v
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	pictures := map[string]js.Value{}
	for name, b := range blobs {
		if pictures[name], err = bytesOf(b); err != nil {
			return nil, err
		}
	}
	return pictures, nil
}

// forget deletes a result from the store, and what only it was made from.
func (p *page) forget(r *result) error {
	return inStore(idb.TransactionReadWrite, func(ctx context.Context, pictures, inputs *idb.ObjectStore) error {
		request, err := pictures.Delete(js.ValueOf(r.key))
		if err != nil {
			return err
		}
		if err := request.Await(ctx); err != nil {
			return err
		}
		needed := map[string]bool{}
		cursor, err := pictures.OpenCursor(idb.CursorNext)
		if err != nil {
			return err
		}
		err = cursor.Iter(ctx, func(c *idb.CursorWithValue) error {
			v, err := c.Value()
			if err != nil || !v.Get("inputs").Truthy() {
				return err
			}
			values := js.Global().Get("Object").Call("values", v.Get("inputs"))
			for i := range values.Length() {
				needed[values.Index(i).String()] = true
			}
			return nil
		})
		if err != nil {
			return err
		}
		all, err := inputs.GetAllKeys()
		if err != nil {
			return err
		}
		keys, err := all.Await(ctx)
		if err != nil {
			return err
		}
		for _, k := range keys {
			if !needed[k.String()] {
				if _, err := inputs.Delete(k); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
