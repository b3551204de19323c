//go:build js && wasm

package gallerystore

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"syscall/js"
	"time"

	"github.com/hack-pad/go-indexeddb/idb"

	"github.com/imprompt/imprompt/app/settings"
	"github.com/imprompt/imprompt/app/state"
	"github.com/imprompt/imprompt/app/ui/blobs"
	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader/store/database"
)

const (
	name     = "imprompt-gallery"
	pictures = "pictures"
	inputs   = "inputs"
)

// Store is the gallery's database.
type Store struct{ db database.Connection }

var _ state.Store = &Store{}

// New returns the store. It is opened when it is first used.
func New() *Store {
	return &Store{database.Connection{Name: name, Version: 2, Upgrade: createStores}}
}

func createStores(db *idb.Database, before, _ uint) error {
	if before < 1 {
		if _, err := db.CreateObjectStore(pictures, idb.ObjectStoreOptions{AutoIncrement: true}); err != nil {
			return err
		}
	}
	_, err := db.CreateObjectStore(inputs, idb.ObjectStoreOptions{})
	return err
}

// within runs f in a transaction on both object stores, and waits until its changes are stored.
func (s *Store) within(mode idb.TransactionMode, f func(ctx context.Context, pictures, inputs *idb.ObjectStore) error) error {
	ctx := context.Background()
	return s.db.Within(ctx, mode, []string{pictures, inputs}, func(stores []*idb.ObjectStore) error { return f(ctx, stores[0], stores[1]) })
}

// keepHidden is how long a hidden picture is kept, in milliseconds. The page that hid it deletes it before, unless it is
// gone.
const keepHidden = 120_000

// List implements state.Store.
func (s *Store) List() ([]*state.Result, error) {
	var list []*state.Result
	var gone []float64
	now := js.Global().Get("Date").Call("now").Float()
	err := s.within(idb.TransactionReadOnly, func(ctx context.Context, pictures, _ *idb.ObjectStore) error {
		keys, err := database.Keys(ctx, pictures)
		if err != nil {
			return err
		}
		// All are asked for at once: a cursor would wait for each one before it asks for the next.
		var last *idb.Request
		for _, k := range slices.Backward(keys) {
			request, err := pictures.Get(k)
			if err != nil {
				return err
			}
			err = request.ListenSuccess(ctx, func() {
				v, err := request.Result()
				if err != nil || !v.Truthy() {
					return
				}
				if hidden := v.Get("hidden"); !hidden.Truthy() {
					list = append(list, result(k.Float(), v))
				} else if now-hidden.Float() > keepHidden {
					gone = append(gone, k.Float())
				}
			})
			if err != nil {
				return err
			}
			last = request
		}
		if last == nil {
			return nil
		}
		_, err = last.Await(ctx) // they are answered in their order
		return err
	})
	for _, key := range gone {
		err = errors.Join(err, s.Forget(key))
	}
	return list, err
}

// Get implements state.Store.
func (s *Store) Get(key float64) (r *state.Result, err error) {
	err = s.within(idb.TransactionReadOnly, func(ctx context.Context, pictures, _ *idb.ObjectStore) error {
		v, err := database.Get(ctx, pictures, js.ValueOf(key))
		if err == nil && v.Truthy() && !v.Get("hidden").Truthy() {
			r = result(key, v)
		}
		return err
	})
	return r, err
}

// Hide implements state.Store.
func (s *Store) Hide(key float64, hidden bool) error {
	var at any = 0
	if hidden {
		at = js.Global().Get("Date").Call("now")
	}
	return s.change(key, "hidden", at)
}

// Star implements state.Store.
func (s *Store) Star(key float64, starred bool) error { return s.change(key, "starred", starred) }

// Score implements state.Store.
func (s *Store) Score(key float64, score state.Score) error {
	text, err := json.Marshal(score)
	if err != nil {
		return err
	}
	return s.change(key, "score", string(text))
}

// change sets a property of a stored picture, if it is there.
func (s *Store) change(key float64, property string, value any) error {
	return s.within(idb.TransactionReadWrite, func(ctx context.Context, pictures, _ *idb.ObjectStore) error {
		v, err := database.Get(ctx, pictures, js.ValueOf(key))
		if err != nil || !v.Truthy() {
			return err
		}
		v.Set(property, value)
		_, err = pictures.PutKey(js.ValueOf(key), v)
		return err
	})
}

// firstTime is the least key that is a time, in milliseconds. Keys of the first versions counted pictures.
const firstTime = 1e12

// result reads a stored picture. A part that cannot be read is left out, so that the picture is shown all the same.
func result(key float64, v js.Value) *state.Result {
	r := &state.Result{Key: key, Kept: map[string]string{}, Starred: v.Get("starred").Truthy()}
	if key >= firstTime {
		r.Made = time.UnixMilli(int64(key))
	}
	if text := v.Get("settings"); text.Type() == js.TypeString {
		// As settings.FromJSON does, which also lists what it does not know.
		r.Settings = settings.Default()
		_ = json.Unmarshal([]byte(text.String()), &r.Settings)
	}
	if text := v.Get("cost"); text.Type() == js.TypeString {
		_ = json.Unmarshal([]byte(text.String()), &r.Cost)
	}
	if text := v.Get("score"); text.Type() == js.TypeString {
		_ = json.Unmarshal([]byte(text.String()), &r.Score)
	}
	if text := v.Get("label"); text.Type() == js.TypeString {
		r.Label = text.String()
	}
	if o := v.Get("inputs"); o.Truthy() {
		names := js.Global().Get("Object").Call("keys", o)
		for i := range names.Length() {
			name := names.Index(i).String()
			r.Kept[name] = o.Get(name).String()
		}
	}
	png := blobs.New(v.Get("png"), "image/png")
	r.PNG, r.URL = png, blobs.URL(png)
	return r
}

// Keep implements state.Store.
func (s *Store) Keep(r *state.Result) (key float64, kept map[string]string, err error) {
	data, hashes := map[string]js.Value{}, map[string]any{}
	kept = map[string]string{}
	for name, input := range r.Inputs {
		digest, err := webapi.Await(context.Background(), js.Global().Get("crypto").Get("subtle").Call("digest", "SHA-256", input))
		if err != nil {
			return 0, nil, err
		}
		h := hex.EncodeToString(webapi.GoBytes(js.Global().Get("Uint8Array").New(digest)))
		hashes[name], kept[name], data[h] = h, h, input.(js.Value)
	}
	text, err := json.Marshal(r.Settings)
	if err != nil {
		return 0, nil, err
	}
	cost, err := json.Marshal(r.Cost)
	if err != nil {
		return 0, nil, err
	}
	// The key is the time, so that later pictures come later. No two are made within a millisecond.
	key = js.Global().Get("Date").Call("now").Float()
	return key, kept, s.within(idb.TransactionReadWrite, func(_ context.Context, pictures, inputs *idb.ObjectStore) error {
		for h, input := range data {
			if _, err := inputs.PutKey(js.ValueOf(h), blobs.New(input, "")); err != nil {
				return err
			}
		}
		_, err := pictures.AddKey(js.ValueOf(key), js.ValueOf(map[string]any{
			"png": r.PNG, "settings": string(text), "cost": string(cost), "label": r.Label, "inputs": hashes, "starred": r.Starred}))
		return err
	})
}

// Inputs implements state.Store.
func (s *Store) Inputs(r *state.Result) (map[string]any, error) {
	stored := map[string]js.Value{}
	err := s.within(idb.TransactionReadOnly, func(ctx context.Context, _, inputs *idb.ObjectStore) error {
		for name, h := range r.Kept {
			v, err := database.Get(ctx, inputs, js.ValueOf(h))
			if err != nil {
				return err
			}
			if !v.Truthy() {
				return errors.New(name + " is not stored any more")
			}
			stored[name] = v
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	data := map[string]any{}
	for name, b := range stored {
		if data[name], err = blobs.Bytes(b); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// Forget implements state.Store.
func (s *Store) Forget(key float64) error {
	return s.within(idb.TransactionReadWrite, func(ctx context.Context, pictures, inputs *idb.ObjectStore) error {
		request, err := pictures.Delete(js.ValueOf(key))
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
		keys, err := database.Keys(ctx, inputs)
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
